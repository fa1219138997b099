// The public functions, by the headers that programs outside of the project see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tensorguard/tensorguard.h"

namespace tensorguard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kModels = "examples/models/";

Fingerprint FingerprintOfSample(const std::string& name) {
  auto fingerprint = FingerprintModel(kModels + name);
  EXPECT_TRUE(fingerprint) << DescribeError(fingerprint.error());
  return *std::move(fingerprint);
}

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Views, ShowEveryLayerAndWeight) {
  const Fingerprint alder = FingerprintOfSample("alder");
  ASSERT_GT(alder.layers(), 0U);
  for (size_t i = 0; i < alder.layers(); ++i) {
    const LayerView layer = alder.layer(i);
    EXPECT_EQ(layer.index, i);
    for (const MatrixView& kernel : {layer.query_key, layer.output_value, layer.feed_forward}) {
      EXPECT_EQ(kernel.rows, alder.anchors());
      EXPECT_EQ(kernel.columns, alder.anchors());
      EXPECT_EQ(kernel.values.size(), kernel.rows * kernel.columns);
    }
  }
  bool query_found = false;
  for (size_t i = 0; i < alder.weights(); ++i) {
    const WeightView weight = alder.weight(i);
    if (weight.role != "query") continue;
    query_found = true;
    EXPECT_EQ(weight.sketch.values.size(), weight.sketch.rows * weight.sketch.columns);
    EXPECT_EQ(weight.sketch.columns, 32U);
    EXPECT_GT(weight.norm, 0);
  }
  EXPECT_TRUE(query_found);
  // Copies show the same numbers in the same place.
  const Fingerprint copy = alder;
  EXPECT_EQ(copy.layer(0).query_key.values.data(), alder.layer(0).query_key.values.data());
}

TEST(HeldTensors, GiveTheFingerprintThatTheirFileGives) {
  const std::filesystem::path folder = kModels + "birch";
  const auto summary = InspectModel(folder);
  ASSERT_TRUE(summary);
  // The tensors' bytes by way of one plain file of the stored type.
  const auto plain = std::filesystem::temp_directory_path() / "library_test.safetensors";
  ConvertOptions as_stored;
  as_stored.type = NumberType::kBFloat16;
  ASSERT_TRUE(ConvertModel(folder, plain, as_stored));
  const std::string file = TextOf(plain);
  std::filesystem::remove(plain);
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | static_cast<uint8_t>(file[i]);

  HeldModel held = {.name = "birch", .config = TextOf(folder / "config.json"), .tokenizer = folder};
  auto begin = file.data() + 8 + header_bytes;
  for (const TensorSummary& tensor : summary->tensors) {  // sorted by name, as in the file
    ASSERT_EQ(tensor.dtype, "BF16");
    held.tensors.push_back(
        {.name = tensor.name,
         .dtype = tensor.dtype,
         .shape = tensor.shape,
         .data = std::as_bytes(std::span(begin, static_cast<size_t>(tensor.stored_bytes)))});
    begin += tensor.stored_bytes;
  }
  ASSERT_EQ(begin, file.data() + file.size());
  const auto of_memory = FingerprintTensors(held);
  ASSERT_TRUE(of_memory) << DescribeError(of_memory.error());
  const Fingerprint of_file = FingerprintOfSample("birch");
  EXPECT_EQ(FingerprintAsJson(*of_memory), FingerprintAsJson(of_file));
  const auto comparison = Compare(*of_memory, of_file);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->verdict, Verdict::kIdentical);

  FingerprintOptions cancelled;
  cancelled.callbacks.is_cancelled = [] { return true; };
  EXPECT_EQ(FingerprintTensors(held, cancelled).error().kind, ErrorKind::kCancelled);
}

TEST(HeldTensors, AreRefusedWithTheirName) {
  EXPECT_EQ(FingerprintTensors({.name = "empty"}).error().kind, ErrorKind::kUsage);
  const std::vector<std::byte> data(8);
  const HeldTensor good = {.name = "w", .dtype = "F32", .shape = {2}, .data = data};
  EXPECT_EQ(FingerprintTensors({.name = "", .tensors = {good}}).error().problem,
            "the model has no name");
  HeldTensor odd = good;
  odd.dtype = "Q4_K";
  const auto unknown = FingerprintTensors({.name = "x", .tensors = {odd}});
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(unknown.error().tensor, "w");
  odd = good;
  odd.shape = {uint64_t{1} << 62, 16};
  EXPECT_EQ(FingerprintTensors({.name = "x", .tensors = {odd}}).error().tensor, "w");
  const auto no_object = FingerprintTensors({.name = "x", .tensors = {good}, .config = "[1]"});
  EXPECT_EQ(no_object.error().expected, "an object");
}

TEST(ManyModels, AreReadInTheirOrder) {
  const std::vector<std::string> names = {kModels + "birch", kModels + "alder"};
  const auto models = FingerprintModels(names);
  ASSERT_TRUE(models);
  EXPECT_EQ(models->at(0).model_name(), "birch");
  EXPECT_EQ(models->at(1).model_name(), "alder");
  const std::vector<std::string> with_bad = {kModels + "birch", kModels + "no-such"};
  EXPECT_EQ(FingerprintModels(with_bad).error().kind, ErrorKind::kNotFound);
}

TEST(Classification, SaysWhatIsKnown) {
  const std::vector<Fingerprint> known = {FingerprintOfSample("alder"), FingerprintOfSample("elm")};
  const auto answer = Classify(FingerprintOfSample("alder--lora"), known);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->known);
  EXPECT_EQ(answer->model, "alder--lora");
  EXPECT_EQ(answer->candidates.front().model_name, "alder");
  EXPECT_THAT(ClassificationAsJson(*answer), HasSubstr("tensorguard.classify/1"));
  const std::vector<std::string> names = {kModels + "alder", kModels + "elm"};
  const auto by_name = ClassifyModel(kModels + "alder--lora", names);
  ASSERT_TRUE(by_name);
  EXPECT_EQ(ClassificationAsJson(*by_name), ClassificationAsJson(*answer));
  EXPECT_EQ(Classify(known[0], {}).error().kind, ErrorKind::kUsage);
}

TEST(Families, HaveCentersAndAMap) {
  const std::vector<Fingerprint> models = {FingerprintOfSample("alder"),
                                           FingerprintOfSample("birch"),
                                           FingerprintOfSample("alder--lora")};
  const auto families = FindFamilies(models);
  ASSERT_TRUE(families);
  EXPECT_EQ(families->count, 2U);
  EXPECT_THAT(families->family_of_model, ElementsAre(0, 1, 0));
  EXPECT_THAT(families->centers, Contains("birch"));
  EXPECT_THAT(FamiliesAsJson(*families), HasSubstr("tensorguard.cluster/1"));
  const auto map = FamiliesAsSvg(*families);
  ASSERT_TRUE(map);
  EXPECT_THAT(*map, HasSubstr("<svg"));
}

TEST(Lineage, HasNodesEdgesAndPictures) {
  const std::vector<Fingerprint> models = {FingerprintOfSample("cedar"),
                                           FingerprintOfSample("cedar--prune-depth"),
                                           FingerprintOfSample("birch")};
  const auto lineage = TraceLineage(models);
  ASSERT_TRUE(lineage);
  ASSERT_EQ(lineage->nodes.size(), 3U);
  ASSERT_EQ(lineage->edges.size(), 1U);
  EXPECT_EQ(lineage->edges[0].child, "cedar--prune-depth");
  EXPECT_EQ(lineage->edges[0].parent, "cedar");
  EXPECT_THAT(LineageAsJson(*lineage), HasSubstr("tensorguard.lineage/1"));
  EXPECT_THAT(LineageAsSvg(*lineage), HasSubstr("<svg"));
  EXPECT_THAT(LineageAsHtml(*lineage), HasSubstr("<!DOCTYPE html>"));
  EXPECT_THAT(LineageAsDot(*lineage), HasSubstr("digraph"));

  LineageOptions of_birch;
  of_birch.root = "birch";
  const auto only = TraceLineage(models, of_birch);
  ASSERT_TRUE(only);
  EXPECT_EQ(only->nodes.size(), 1U);
  of_birch.root = "oak";
  EXPECT_EQ(TraceLineage(models, of_birch).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(TraceLineage({}).error().kind, ErrorKind::kUsage);
  const std::vector<Fingerprint> twice = {models[0], models[0]};
  EXPECT_EQ(TraceLineage(twice).error().kind, ErrorKind::kMismatch);
  const std::vector<Fingerprint> renamed = {models[0], models[0].Renamed("copy")};
  EXPECT_TRUE(TraceLineage(renamed));
}

}  // namespace
}  // namespace tensorguard
