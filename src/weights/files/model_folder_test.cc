// Every model of a folder is listed, and what is not is named with its reason.
#include "weights/files/model_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ModelFolders : public testing::Test {
 protected:
  void Write(const std::vector<std::string>& names) {
    for (const std::string& name : names) folder_.Write(name, "");
  }

  std::string Below(const std::string& path) const {
    return std::filesystem::path(path).lexically_relative(folder_.path()).string();
  }

  std::vector<std::string> Models() const {
    const auto found = FindModels(folder_.path());
    if (!found) return {DescribeError(found.error())};
    std::vector<std::string> names;
    for (const auto& model : found->models) names.push_back(Below(model.string()));
    return names;
  }

  std::vector<std::string> LeftOutOnes() const {
    const auto found = FindModels(folder_.path());
    if (!found) return {DescribeError(found.error())};
    std::vector<std::string> texts;
    for (const LeftOut& each : found->left_out) {
      texts.push_back(Below(each.path) + ": " + each.reason);
    }
    return texts;
  }

  ScratchFolder folder_;
};

TEST_F(ModelFolders, ModelsOfEveryFormatAreListed) {
  Write({"gguf.d/a.gguf", "numpy.d/weights.npz", "onnx.d/model.onnx", "torch.d/pytorch_model.bin",
         "safe.d/model.safetensors", "shards.d/model.safetensors.index.json",
         "transformers.js/config.json", "transformers.js/onnx/model.onnx",
         "adapter/adapter_config.json", "checkpoint/consolidated.00.pth", "loose.Q4_0.gguf",
         "other.pt", "truth.json", "README.md"});
  EXPECT_THAT(Models(),
              ElementsAre("adapter", "checkpoint", "gguf.d", "loose.Q4_0.gguf", "numpy.d", "onnx.d",
                          "other.pt", "safe.d", "shards.d", "torch.d", "transformers.js"));
  EXPECT_THAT(LeftOutOnes(), IsEmpty());
}

TEST_F(ModelFolders, AHubCacheIsAFolderOfModels) {
  Write({"models--org--tiny/refs/main", "models--org--tiny/snapshots/0123/model.safetensors",
         "models--org--other/blobs/0", "models--org--other/snapshots/0123/model.safetensors",
         ".locks/x"});
  EXPECT_THAT(Models(), ElementsAre("models--org--other", "models--org--tiny"));
}

TEST_F(ModelFolders, OneModelStandsForItself) {
  Write({"config.json", "odd-name.gguf", "checkpoint-500/model.safetensors"});
  EXPECT_THAT(Models(), ElementsAre("."));
}

TEST_F(ModelFolders, ReservedNamesAreOneModel) {
  Write({"pytorch_model.bin", "original/consolidated.00.pth"});
  EXPECT_THAT(Models(), ElementsAre("."));
}

TEST_F(ModelFolders, OneFileOrSetOfAnyNameIsOneModel) {
  Write({"big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "notes/readme.txt"});
  EXPECT_THAT(Models(), ElementsAre("."));
}

TEST_F(ModelFolders, PartsAreListedOnce) {
  Write({"big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "small.gguf"});
  EXPECT_THAT(Models(), ElementsAre("big-00001-of-00002.gguf", "small.gguf"));
}

TEST_F(ModelFolders, WhatIsLeftOutIsNamedWithItsReason) {
  Write({"a/model.safetensors", "figures/plot.png", "keras/weights.h5", "old.h5", "b.tar.gz",
         "mmproj-a.gguf", "deep/er/model.safetensors"});
  EXPECT_THAT(Models(), ElementsAre("a"));
  EXPECT_THAT(LeftOutOnes(),
              ElementsAre("b.tar.gz: models are not read from archives",
                          "deep: folder holds no weights itself, but folders with weights: er",
                          "figures: folder holds no weights",
                          "keras: weights are in a format that is not read: weights.h5 (Keras "
                          "HDF5)",
                          "mmproj-a.gguf: by its name no model",
                          "old.h5: weights are in a format that is not read: Keras HDF5"));
}

TEST_F(ModelFolders, AFolderOfNothing) {
  EXPECT_THAT(Models(), IsEmpty());
  EXPECT_THAT(LeftOutOnes(), IsEmpty());
}

}  // namespace
}  // namespace tensorguard::internal
