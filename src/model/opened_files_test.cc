// How often the files of a model are looked for and opened: found out once, then handed down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "model/model.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// This machine's files, with a count of what is asked of them, by name.
class CountingFiles : public FileStore {
 public:
  Result<bool> Exists(const fs::path& path) const override {
    ++asked_[path.filename().string()];
    return LocalFiles()->Exists(path);
  }
  Result<bool> IsFolder(const fs::path& path) const override {
    ++asked_[path.filename().string()];
    return LocalFiles()->IsFolder(path);
  }
  Result<std::vector<std::string>> FilesIn(const fs::path& folder,
                                           std::span<const std::string> names) const override {
    ++listed_;
    return LocalFiles()->FilesIn(folder, names);
  }
  Result<std::vector<std::string>> FoldersIn(const fs::path& folder) const override {
    return LocalFiles()->FoldersIn(folder);
  }
  Result<std::shared_ptr<const File>> Open(const fs::path& path) const override {
    ++opened_[path.filename().string()];
    return LocalFiles()->Open(path);
  }

  size_t opened(const std::string& name) const { return opened_[name]; }
  size_t asked(const std::string& name) const { return asked_[name]; }
  size_t listed() const { return listed_; }

 private:
  mutable std::map<std::string, size_t> opened_;
  mutable std::map<std::string, size_t> asked_;
  mutable size_t listed_ = 0;
};

class OpenedFiles : public testing::Test {
 protected:
  std::shared_ptr<const CountingFiles> Open(const std::string& name,
                                            const std::optional<std::string>& base = {}) {
    const auto files = std::make_shared<const CountingFiles>();
    OpenModelOptions options = {.base = {}, .files = files};
    if (base) options.base = folder_.path() / *base;
    const auto model = OpenModel(folder_.path() / name, options);
    EXPECT_TRUE(model) << DescribeError(model.error());
    return files;
  }

  void WriteShards(const std::string& name) {
    const std::vector<float> square(4 * 4, 0.5f);
    folder_.Write(name + "/config.json", R"({"model_type": "llama"})");
    folder_.Write(name + "/model-00001-of-00002.safetensors",
                  BuildSafetensors({F32Tensor("model.embed_tokens.weight", {4, 4}, square)}));
    folder_.Write(name + "/model-00002-of-00002.safetensors",
                  BuildSafetensors({F32Tensor("lm_head.weight", {4, 4}, square)}));
    folder_.Write(
        name + "/model.safetensors.index.json",
        R"({"weight_map": {"model.embed_tokens.weight": "model-00001-of-00002.safetensors",
                      "lm_head.weight": "model-00002-of-00002.safetensors"}})");
  }

  ScratchFolder folder_;
};

TEST_F(OpenedFiles, AnIndexIsReadOnce) {
  WriteShards("m");
  const auto files = Open("m");
  EXPECT_EQ(files->opened("model.safetensors.index.json"), 1u);
  EXPECT_EQ(files->opened("model-00001-of-00002.safetensors"), 1u);
  EXPECT_EQ(files->opened("model-00002-of-00002.safetensors"), 1u);
  EXPECT_EQ(files->opened("config.json"), 1u);
  EXPECT_EQ(files->asked("adapter_config.json"), 1u);
  EXPECT_EQ(files->listed(), 1u);
}

TEST_F(OpenedFiles, AHubCacheIsResolvedOnce) {
  WriteShards("models--org--m/snapshots/0123");
  folder_.Write("models--org--m/refs/main", "0123\n");
  const auto files = Open("models--org--m");
  EXPECT_EQ(files->opened("main"), 1u);
  EXPECT_EQ(files->asked("snapshots"), 1u);
  EXPECT_EQ(files->opened("model.safetensors.index.json"), 1u);
}

TEST_F(OpenedFiles, AGgufHeaderIsReadOnce) {
  folder_.Write("m/tiny.gguf",
                BuildGguf({GgufTextPair("general.architecture", "llama")},
                          {GgufF32Tensor("token_embd.weight", {2, 2}, {1, 2, 3, 4})}));
  EXPECT_EQ(Open("m")->opened("tiny.gguf"), 1u);
  // A file of any name is looked at for what it is.
  EXPECT_EQ(Open("m/tiny.gguf")->opened("tiny.gguf"), 2u);
}

TEST_F(OpenedFiles, AnAdapterAndItsBaseAreFoundOnceEach) {
  WriteShards("base");
  folder_.Write("lora/adapter_config.json",
                R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1, "target_modules": ["lm_head"]})");
  folder_.Write("lora/adapter_model.safetensors",
                BuildSafetensors(
                    {F32Tensor("base_model.model.lm_head.lora_A.weight", {1, 4}, {1, 2, 3, 4}),
                     F32Tensor("base_model.model.lm_head.lora_B.weight", {4, 1}, {1, 1, 1, 1})}));
  const auto files = Open("lora", "base");
  EXPECT_EQ(files->asked("adapter_config.json"), 2u);
  EXPECT_EQ(files->opened("adapter_config.json"), 1u);
  EXPECT_EQ(files->opened("model.safetensors.index.json"), 1u);
}

}  // namespace
}  // namespace tensorguard::internal
