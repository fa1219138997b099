#include "model/model.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLlamaConfig = R"({"model_type": "llama", "num_hidden_layers": 1})";

std::string TinyLlama() {
  const std::vector<float> square(4 * 4, 0.5f);
  const std::string layer = "model.layers.0.";
  return BuildSafetensors({
      F32Tensor("model.embed_tokens.weight", {4, 4}, square),
      F32Tensor(layer + "self_attn.q_proj.weight", {4, 4}, square),
      F32Tensor(layer + "mlp.down_proj.weight", {4, 4}, square),
      F32Tensor(layer + "self_attn.rotary_emb.inv_freq", {2}, {1, 0.5f}),
  });
}

// A rank-1 LoRA on the down projection of TinyLlama.
void WriteAdapter(const ScratchFolder& scratch, const std::string& folder) {
  scratch.Write(folder + "/adapter_config.json",
                R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1,
                    "target_modules": ["down_proj"]})");
  const std::string module = "base_model.model.model.layers.0.mlp.down_proj.";
  scratch.Write(folder + "/adapter_model.safetensors",
                BuildSafetensors({F32Tensor(module + "lora_A.weight", {1, 4}, {1, 2, 3, 4}),
                                  F32Tensor(module + "lora_B.weight", {4, 1}, {1, 1, 1, 1})}));
}

TEST(OpenModel, ReadsAFolderWithItsConfigAndTokenizer) {
  const ScratchFolder scratch;
  scratch.Write("tiny/model.safetensors", TinyLlama());
  scratch.Write("tiny/config.json", kLlamaConfig);
  scratch.Write("tiny/tokenizer.json", "{}");
  const auto model = OpenModel(scratch.path() / "tiny");
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->name, "tiny");
  EXPECT_EQ(model->config["model_type"], "llama");
  EXPECT_EQ(model->tokenizer_folder, scratch.path() / "tiny");
  EXPECT_FALSE(model->is_adapter);
  EXPECT_EQ(model->architecture.name, "llama");
  EXPECT_EQ(model->architecture.roles.size(), model->weights->tensors().size());
  EXPECT_EQ(model->parameter_count(), 3u * 16u);  // rotary frequencies are no parameters
}

TEST(OpenModel, ReadsASingleFileWithoutConfig) {
  const ScratchFolder scratch;
  const auto model = OpenModel(scratch.Write("some.model.safetensors", TinyLlama()));
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->name, "some.model");
  EXPECT_TRUE(model->config.is_null());
  EXPECT_EQ(model->tokenizer_folder, scratch.path());
}

TEST(OpenModel, TakesTheConfigBesideASingleFile) {
  const ScratchFolder scratch;
  scratch.Write("config.json", kLlamaConfig);
  scratch.Write("vocab.txt", "a");
  const auto model = OpenModel(scratch.Write("weights.safetensors", TinyLlama()));
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->architecture.known_by, "config");
  EXPECT_EQ(model->tokenizer_folder, scratch.path());
}

TEST(OpenModel, FollowsAHubCacheToItsSnapshot) {
  const ScratchFolder scratch;
  const std::string cache = "models--org--tiny/";
  scratch.Write(cache + "refs/main", "abc");
  scratch.Write(cache + "snapshots/abc/model.safetensors", TinyLlama());
  scratch.Write(cache + "snapshots/abc/config.json", kLlamaConfig);
  scratch.Write(cache + "snapshots/abc/tokenizer.model", "x");
  const auto model = OpenModel(scratch.path() / "models--org--tiny");
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->name, "tiny");
  EXPECT_EQ(model->architecture.known_by, "config");
  EXPECT_EQ(model->tokenizer_folder, scratch.path() / cache / "snapshots/abc");
}

TEST(OpenModel, MergesAnAdapterIntoItsBase) {
  const ScratchFolder scratch;
  scratch.Write("base/model.safetensors", TinyLlama());
  scratch.Write("base/config.json", kLlamaConfig);
  scratch.Write("base/tokenizer.json", "{}");
  WriteAdapter(scratch, "lora");
  for (const fs::path path : {"lora", "lora/", "lora/adapter_model.safetensors"}) {
    EXPECT_TRUE(*NamesAdapter(scratch.path() / path));
    const auto model = OpenModel(scratch.path() / path, {.base = scratch.path() / "base"});
    ASSERT_TRUE(model) << DescribeError(model.error());
    EXPECT_EQ(model->name, "lora");
    EXPECT_TRUE(model->is_adapter);
    EXPECT_EQ(model->base_name, "base");
    EXPECT_EQ(model->tokenizer_folder, scratch.path() / "base");
    EXPECT_EQ(model->architecture.name, "llama");
    ASSERT_EQ(model->weights->tensors()[1].name, "model.layers.0.mlp.down_proj.weight");
    std::vector<float> row(4);
    ASSERT_TRUE(model->weights->ReadFloat32(1, 0, row));
    EXPECT_EQ(row, (std::vector<float>{1.5f, 2.5f, 3.5f, 4.5f}));
  }
}

TEST(OpenModel, AnAdaptersOwnTokenizerComesBeforeTheBases) {
  const ScratchFolder scratch;
  scratch.Write("base/model.safetensors", TinyLlama());
  scratch.Write("base/config.json", kLlamaConfig);
  scratch.Write("base/tokenizer.json", "{}");
  WriteAdapter(scratch, "lora");
  scratch.Write("lora/tokenizer.model", "x");
  const auto model = OpenModel(scratch.path() / "lora", {.base = scratch.path() / "base"});
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->tokenizer_folder, scratch.path() / "lora");
}

TEST(OpenModel, RefusesAnAdapterWithoutABaseAndABaseWithoutAnAdapter) {
  const ScratchFolder scratch;
  scratch.Write("base/model.safetensors", TinyLlama());
  WriteAdapter(scratch, "lora");
  const auto adapter = OpenModel(scratch.path() / "lora");
  ASSERT_FALSE(adapter);
  EXPECT_EQ(adapter.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(adapter.error().problem, "an adapter says nothing without the model it belongs to");
  EXPECT_EQ(adapter.error().file, (scratch.path() / "lora").string());

  EXPECT_FALSE(*NamesAdapter(scratch.path() / "base"));
  const auto plain = OpenModel(scratch.path() / "base", {.base = scratch.path() / "base"});
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(plain.error().problem, "a base model was given, but this is no adapter");
}

TEST(OpenModel, RefusesAnAdapterAsBase) {
  const ScratchFolder scratch;
  WriteAdapter(scratch, "first");
  WriteAdapter(scratch, "second");
  const auto model = OpenModel(scratch.path() / "first", {.base = scratch.path() / "second"});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(model.error().file, (scratch.path() / "second").string());
}

TEST(OpenModel, NamesTheConfigThatIsBroken) {
  const ScratchFolder scratch;
  scratch.Write("tiny/model.safetensors", TinyLlama());
  const std::string config = scratch.Write("tiny/config.json", "{\"a\": }").string();
  const auto broken = OpenModel(scratch.path() / "tiny");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(broken.error().problem, "not valid JSON");
  EXPECT_EQ(broken.error().file, config);

  scratch.Write("tiny/config.json", "[1]");
  const auto list = OpenModel(scratch.path() / "tiny");
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().problem, "the model's configuration is not a JSON object");
  EXPECT_EQ(list.error().found, "array");
}

TEST(OpenModel, SaysThatNothingIsThere) {
  const ScratchFolder scratch;
  const auto model = OpenModel(scratch.path() / "missing");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kNotFound);
}

TEST(OpenModel, OpensEveryModelOfTheZoo) {
  const fs::path zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo);
  size_t opened = 0;
  for (const auto& entry : fs::directory_iterator(zoo)) {
    if (!entry.is_directory()) continue;
    OpenModelOptions options;
    if (*NamesAdapter(entry.path())) {
      const std::string name = entry.path().filename().string();
      options.base = zoo / name.substr(0, name.find("--"));
    }
    const auto model = OpenModel(entry.path(), options);
    ASSERT_TRUE(model) << DescribeError(model.error());
    EXPECT_EQ(model->architecture.unassigned.size(), 0u) << model->name;
    EXPECT_GT(model->parameter_count(), 100'000u) << model->name;
    EXPECT_TRUE(*FindTokenizerFile(model->tokenizer_folder)) << model->name;
    ++opened;
  }
  EXPECT_GE(opened, 40u);
}

}  // namespace
}  // namespace tensorguard::internal
