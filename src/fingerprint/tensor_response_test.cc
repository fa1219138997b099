#include "fingerprint/tensor_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <limits>

#include "fingerprint/loss_gradient.h"
#include "fingerprint/random_numbers.h"
#include "tests/support/memory_weights.h"

namespace tensorguard {
namespace {

MemoryWeights RandomMatrix(uint64_t rows, uint64_t columns, float scale = 1.0f) {
  std::vector<float> values = TorchRandom(1).Normal(rows * columns);
  for (float& value : values) value = scale * value + 0.01f;
  return WeightsOf({{"w", {{rows, columns}, values}}});
}

std::vector<std::vector<float>> FiveInputs(uint64_t width) {
  TorchRandom random(2);
  std::vector<std::vector<float>> inputs;
  for (size_t k = 0; k < kNoiseCount; ++k) inputs.push_back(random.Normal(width));
  return inputs;
}

struct Shape {
  uint64_t rows;
  uint64_t columns;
};

class ResponseOfShape : public testing::TestWithParam<Shape> {};

TEST_P(ResponseOfShape, FastPathAgreesWithTheReference) {
  const auto [rows, columns] = GetParam();
  const MemoryWeights weights = RandomMatrix(rows, columns);
  const auto inputs = FiveInputs(columns);
  const auto fast = MeasureResponse(weights, 0, InputBlock(columns, inputs), 2);
  const auto plain = MeasureResponseReference(weights, 0, inputs);
  ASSERT_TRUE(fast && plain);
  for (size_t k = 0; k < kNoiseCount; ++k) {
    // Sums of up to 64 float32 products each: relative error of a few 2^-24.
    EXPECT_NEAR((*fast)[k].norm / (*plain)[k].norm, 1.0, 2e-6);
    for (size_t power = 0; power < 4; ++power) {
      EXPECT_NEAR((*fast)[k].unit_moments[power], (*plain)[k].unit_moments[power], 2e-6);
    }
  }
}

TEST_P(ResponseOfShape, SameBytesForAnyNumberOfThreads) {
  const auto [rows, columns] = GetParam();
  const MemoryWeights weights = RandomMatrix(rows, columns);
  const InputBlock inputs(columns, FiveInputs(columns));
  const auto one = MeasureResponse(weights, 0, inputs, 1);
  for (const unsigned threads : {2u, 3u, 16u}) {
    const auto many = MeasureResponse(weights, 0, inputs, threads);
    ASSERT_TRUE(one && many);
    for (size_t k = 0; k < kNoiseCount; ++k) {
      EXPECT_EQ((*one)[k].norm, (*many)[k].norm);
      EXPECT_EQ((*one)[k].unit_moments, (*many)[k].unit_moments);
    }
  }
}

TEST_P(ResponseOfShape, LossGradientAgreesWithTheReference) {
  const auto [rows, columns] = GetParam();
  const MemoryWeights weights = RandomMatrix(rows, columns, 0.05f);
  const std::vector<float> x = TorchRandom(3).Normal(columns);
  const auto plain = CrossEntropyGradientReference(weights, 0, x, rows / 2);
  const auto one = CrossEntropyGradient(weights, 0, x, rows / 2, 1);
  const auto three = CrossEntropyGradient(weights, 0, x, rows / 2, 3);
  ASSERT_TRUE(plain && one && three);
  EXPECT_EQ(*one, *three);
  for (uint64_t c = 0; c < columns; ++c) ASSERT_NEAR((*one)[c], (*plain)[c], 1e-5) << c;
}

// The last one is wider than a block, so that its rows are cut.
INSTANTIATE_TEST_SUITE_P(Shapes, ResponseOfShape,
                         testing::Values(Shape{1, 1}, Shape{3, 5}, Shape{7, 16}, Shape{64, 96},
                                         Shape{33, 1000}, Shape{5, 1024}, Shape{4, 2049},
                                         Shape{300, 700}, Shape{3, 70001}));

TEST(AddResponses, EveryInstructionSetGivesTheReferenceBits) {
  constexpr size_t kRows = 5;
  constexpr size_t kColumns = 2500;
  TorchRandom random(4);
  const std::vector<float> rows = random.Normal(kRows * kColumns);
  const InputBlock inputs(kColumns, FiveInputs(kColumns));
  std::vector<Responses> expected(kRows);
  AddResponsesReference(rows.data(), kRows, kColumns, inputs, 0, expected.data());
  int64_t targets = hwy::SupportedTargets();
  int tried = 0;
  for (; targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    std::vector<Responses> responses(kRows);
    AddResponses(rows.data(), kRows, kColumns, inputs, 0, responses.data());
    EXPECT_EQ(responses, expected) << hwy::TargetName(targets & -targets);
    ++tried;
  }
  hwy::SetSupportedTargetsForTest(0);
  EXPECT_GT(tried, 0);
}

TEST(MeasureResponse, WeightsThatAreNotNumbersAreAnError) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const MemoryWeights weights = WeightsOf({{"w", {{2, 2}, {1, 2, bad, 4}}}});
    const auto response = MeasureResponse(weights, 0, InputBlock(2, FiveInputs(2)), 1);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().problem, "weights are not finite numbers");
    EXPECT_EQ(response.error().tensor, "w");
    const auto gradient = CrossEntropyGradient(weights, 0, {1.0f, 1.0f}, 0, 1);
    ASSERT_FALSE(gradient);
    EXPECT_EQ(gradient.error().problem, "weights are not finite numbers");
  }
}

}  // namespace
}  // namespace tensorguard
