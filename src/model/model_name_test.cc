#include "model/model_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(ModelNameFromPath, TakesTheLastPartWithoutSuffix) {
  EXPECT_EQ(ModelNameFromPath("a/b/alder"), "alder");
  EXPECT_EQ(ModelNameFromPath("a/b/alder//"), "alder");
  EXPECT_EQ(ModelNameFromPath("a/b/../alder/."), "alder");
  EXPECT_EQ(ModelNameFromPath("Llama-3.2-1B"), "Llama-3.2-1B");
  EXPECT_EQ(ModelNameFromPath("x/weights.safetensors"), "weights");
  EXPECT_EQ(ModelNameFromPath("x/phi-4_features.json"), "phi-4");
  EXPECT_EQ(ModelNameFromPath(".safetensors"), ".safetensors");
}

TEST(ModelNameFromPath, UnderstandsHubCaches) {
  EXPECT_EQ(ModelNameFromPath("hub/models--org--tiny"), "tiny");
  EXPECT_EQ(ModelNameFromPath("hub/models--org--tiny/"), "tiny");
  EXPECT_EQ(ModelNameFromPath("hub/models--org--tiny/snapshots/0123abc"), "tiny");
  EXPECT_EQ(ModelNameFromPath("hub/models--gpt2"), "gpt2");
  EXPECT_EQ(ModelNameFromPath("hub/models--org--a--b"), "a--b");
}

TEST(ModelNameFromPath, AGenericFileHasTheNameOfItsFolder) {
  for (const char* file :
       {"model.safetensors", "model.onnx", "pytorch_model.bin", "model.safetensors.index.json",
        "pytorch_model-00001-of-00002.bin", "model_q4.onnx", "model_quantized.onnx",
        "ggml-model-Q4_K_M.gguf", "consolidated.00.pth", "decoder_model_merged.onnx",
        "onnx/model.onnx", "original/consolidated.00.pth"}) {
    EXPECT_EQ(ModelNameFromPath(fs::path("runs/alder") / file), "alder") << file;
    EXPECT_EQ(ModelNameFromPath(fs::path("https://host/alder") / file), "alder") << file;
    EXPECT_EQ(ModelNameFromPath(fs::path("hf://org/alder@v1") / file), "alder") << file;
    EXPECT_EQ(ModelNameFromPath(fs::path("hub/models--org--alder/snapshots/0123") / file), "alder")
        << file;
  }
  EXPECT_EQ(ModelNameFromPath("model.onnx"), fs::current_path().filename().string());
  EXPECT_EQ(ModelNameFromPath("/model.onnx"), "model");
  EXPECT_EQ(ModelNameFromPath("runs/model"), "model");
  EXPECT_EQ(ModelNameFromPath("runs/model-of-mine.gguf"), "model-of-mine");
  EXPECT_EQ(ModelNameFromPath("runs/models.gguf"), "models");
  EXPECT_EQ(ModelNameFromPath("runs/tiny-Q4_0.gguf"), "tiny-Q4_0");
}

std::vector<std::string> Apart(const std::vector<fs::path>& paths) {
  std::vector<NamedModel> models;
  for (const fs::path& path : paths) models.push_back({ModelNameFromPath(path), path});
  return DistinctNames(models);
}

TEST(DistinctNames, NamesThatDifferStay) {
  EXPECT_THAT(Apart({"a/x", "b/y.gguf"}), ElementsAre("x", "y"));
}

TEST(DistinctNames, OfEqualOnesTheShortestEndOfThePath) {
  EXPECT_THAT(Apart({"runs/a/x", "runs/b/x", "y"}), ElementsAre("a/x", "b/x", "y"));
  EXPECT_THAT(Apart({"a/x/model.onnx", "b/x/model.onnx"}), ElementsAre("a/x", "b/x"));
  EXPECT_THAT(Apart({"p/a/x", "q/a/x", "q/b/x"}), ElementsAre("p/a/x", "q/a/x", "b/x"));
  EXPECT_THAT(Apart({"hf://one/x", "hf://two/x"}), ElementsAre("one/x", "two/x"));
  EXPECT_THAT(Apart({"hf://one/x@v1", "hf://one/x@v2"}), ElementsAre("x/v1", "x/v2"));
  EXPECT_THAT(Apart({"h/models--one--x", "h/models--two--x"}), ElementsAre("one/x", "two/x"));
}

TEST(DistinctNames, FilesOfOneFolderByTheFile) {
  EXPECT_THAT(Apart({"x/model.onnx", "x/model_q4.onnx"}),
              ElementsAre("x/model.onnx", "x/model_q4.onnx"));
  EXPECT_THAT(Apart({"x/tiny", "x/tiny.gguf"}), ElementsAre("tiny", "tiny.gguf"));
}

TEST(DistinctNames, OneModelGivenTwiceHasOneName) {
  EXPECT_THAT(Apart({"a/x", "./a/x/", "a/b/../x"}), ElementsAre("x", "x", "x"));
  EXPECT_THAT(Apart({"a/x", "a/x.fingerprint.safetensors"}), ElementsAre("x", "x"));
}

TEST(DistinctNames, OthersGiveWayToOneThatKeepsItsName) {
  EXPECT_THAT(DistinctNames({{"x", "x", /*keeps_name=*/true}, {"x", "prints/x"}, {"y", "y"}}),
              ElementsAre("x", "prints/x", "y"));
}

TEST(DistinctNames, FingerprintsOfOneNameByTheirFiles) {
  EXPECT_THAT(DistinctNames({{"model", "prints/a.fingerprint.safetensors"},
                             {"model", "prints/b.fingerprint.safetensors"}}),
              ElementsAre("a", "b"));
  EXPECT_THAT(DistinctNames({{"model", "a.fingerprint.safetensors"},
                             {"model", "b.fingerprint.safetensors"},
                             {"b", "other/b"}}),
              ElementsAre("a", fs::current_path().filename().string() + "/b", "b"));
}

TEST(ModelNameFromPath, FindsTheNameOfTheCurrentFolder) {
  EXPECT_EQ(ModelNameFromPath("."), fs::current_path().filename().string());
  EXPECT_EQ(ModelNameFromPath(".."), fs::current_path().parent_path().filename().string());
}

}  // namespace
}  // namespace tensorguard::internal
