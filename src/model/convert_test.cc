#include "model/convert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/model.h"
#include "tests/support/memory_weights.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

std::vector<float> ValuesOf(const WeightSource& weights, size_t tensor) {
  std::vector<float> values(weights.tensors()[tensor].element_count);
  const auto read = weights.ReadFloat32(tensor, 0, values);
  EXPECT_TRUE(read) << (read ? "" : DescribeError(read.error()));
  return values;
}

// ||a - b|| / ||b||.
double RelativeDifference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    norm += std::pow(b[i], 2);
  }
  return std::sqrt(difference / norm);
}

TEST(ConvertWeights, KeepsNamesShapesAndNumbers) {
  const ScratchFolder scratch;
  const MemoryWeights weights({MemoryTensorOf("b", {2, 3}, {1, 2, 3, 4, 5, 6}),
                               MemoryTensorOf("a.weight", {}, {-0.5f}),
                               MemoryTensorOf("empty", {0, 4}, {})});
  const auto path = scratch.path() / "out.safetensors";
  ASSERT_TRUE(ConvertWeights(weights, path));
  const auto written = OpenStoredWeights(path);
  ASSERT_TRUE(written) << DescribeError(written.error());
  ASSERT_EQ((*written)->tensors().size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*written)->tensors()[i].name, weights.tensors()[i].name);
    EXPECT_EQ((*written)->tensors()[i].shape, weights.tensors()[i].shape);
    EXPECT_EQ((*written)->tensors()[i].dtype, DType::kF32);
    EXPECT_EQ(ValuesOf(**written, i), ValuesOf(weights, i));
  }
}

TEST(ConvertWeights, RoundsToTheTypeAskedFor) {
  const ScratchFolder scratch;
  const MemoryWeights weights(
      {MemoryTensorOf("a", {2}, {1.00390625f, 3})});  // 1 + 2^-8: halfway in BF16
  const auto path = scratch.path() / "out.safetensors";
  ASSERT_TRUE(ConvertWeights(weights, path, {.dtype = DType::kBF16}));
  const auto written = OpenStoredWeights(path);
  ASSERT_TRUE(written) << DescribeError(written.error());
  EXPECT_EQ((*written)->tensors()[0].dtype, DType::kBF16);
  EXPECT_EQ((*written)->tensors()[0].stored_bytes, 4u);
  EXPECT_EQ(ValuesOf(**written, 0), (std::vector<float>{1, 3}));
}

TEST(ConvertWeights, CrossesItsBlocksWithoutASeam) {
  const ScratchFolder scratch;
  std::vector<float> values((1 << 20) + 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const MemoryWeights weights(
      {MemoryTensorOf("long", {values.size()}, values), MemoryTensorOf("next", {1}, {7})});
  const auto path = scratch.path() / "out.safetensors";
  uint64_t done = 0;
  uint64_t total = 0;
  ASSERT_TRUE(ConvertWeights(weights, path, {.on_progress = [&](const Progress& progress) {
                               EXPECT_GT(progress.bytes_done, done);
                               done = progress.bytes_done;
                               total = progress.bytes_total;
                             }}));
  EXPECT_EQ(done, total);
  EXPECT_EQ(total, (values.size() + 1) * sizeof(float));
  const auto written = OpenStoredWeights(path);
  ASSERT_TRUE(written) << DescribeError(written.error());
  EXPECT_EQ(ValuesOf(**written, 0), values);
  EXPECT_EQ(ValuesOf(**written, 1), std::vector<float>{7});
}

TEST(ConvertWeights, RefusesANumberThatDoesNotFitAndLeavesNothing) {
  const ScratchFolder scratch;
  const MemoryWeights weights({MemoryTensorOf("big", {2}, {1, 1e6f})});
  const auto path = scratch.path() / "out.safetensors";
  const auto converted = ConvertWeights(weights, path, {.dtype = DType::kF16});
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().kind, ErrorKind::kMismatch);
  EXPECT_EQ(converted.error().problem, "a number is too large for F16");
  EXPECT_EQ(converted.error().tensor, "big");
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(ConvertWeights, MayReplaceTheFileThatItReads) {
  const ScratchFolder scratch;
  const auto path =
      scratch.Write("m.safetensors", BuildSafetensors({F32Tensor("a", {2}, {0.5f, 2})}));
  const auto weights = OpenStoredWeights(path);
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  ASSERT_TRUE(ConvertWeights(**weights, path, {.dtype = DType::kF16}));
  const auto written = OpenStoredWeights(path);
  ASSERT_TRUE(written) << DescribeError(written.error());
  EXPECT_EQ((*written)->tensors()[0].dtype, DType::kF16);
  EXPECT_EQ(ValuesOf(**written, 0), (std::vector<float>{0.5f, 2}));
}

TEST(ConvertWeights, ReplacesNoShardOfTheModelAndNoFolder) {
  const ScratchFolder scratch;
  const auto first = scratch.Write("model-00001-of-00002.safetensors",
                                   BuildSafetensors({F32Tensor("a", {2}, {0.5f, 2})}));
  scratch.Write("model-00002-of-00002.safetensors",
                BuildSafetensors({F32Tensor("b", {2}, {1, 2})}));
  const auto weights = OpenStoredWeights(scratch.path());
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  const auto over_shard = ConvertWeights(**weights, first);
  ASSERT_FALSE(over_shard);
  EXPECT_EQ(over_shard.error().problem, "this is one of the files that the model is read from");
  EXPECT_TRUE(OpenStoredWeights(scratch.path()));
  for (const auto& folder : {scratch.path(), scratch.path() / "new" / ""}) {
    const auto over_folder = ConvertWeights(**weights, folder);
    ASSERT_FALSE(over_folder);
    EXPECT_EQ(over_folder.error().expected, "the name of a file");
  }
}

TEST(ConvertWeights, GivesTheZoosMergedAdapterWithinItsPrecision) {
  const auto zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo / "alder--adapter");
  SKIP_WITHOUT(zoo / "alder--lora");
  const auto adapter = OpenModel(zoo / "alder--adapter", {.base = zoo / "alder"});
  ASSERT_TRUE(adapter) << DescribeError(adapter.error());
  const ScratchFolder scratch;
  const auto path = scratch.path() / "merged.safetensors";
  ASSERT_TRUE(ConvertWeights(*adapter->weights, path, {.dtype = DType::kBF16}));
  const auto merged = OpenStoredWeights(path);
  const auto expected = OpenStoredWeights(zoo / "alder--lora");
  ASSERT_TRUE(merged && expected);
  ASSERT_EQ((*merged)->tensors().size(), (*expected)->tensors().size());
  for (size_t i = 0; i < (*expected)->tensors().size(); ++i) {
    ASSERT_EQ((*merged)->tensors()[i].name, (*expected)->tensors()[i].name);
    // Each side was rounded to 8 significant bits on its own way.
    EXPECT_LT(RelativeDifference(ValuesOf(**merged, i), ValuesOf(**expected, i)), 0.01)
        << (*merged)->tensors()[i].name;
  }
}

}  // namespace
}  // namespace tensorguard::internal
