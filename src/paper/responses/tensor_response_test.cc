#include "paper/responses/tensor_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "paper/inputs/random_numbers.h"
#include "paper/responses/loss_gradient.h"
#include "tests/support/memory_weights.h"

namespace tensorguard::internal {
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

std::vector<BFloat16> Rounded(const std::vector<float>& values) {
  std::vector<BFloat16> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), RoundToBFloat16);
  return rounded;
}

std::vector<float> Widened(const std::vector<BFloat16>& values) {
  std::vector<float> widened;
  for (const BFloat16 value : values) widened.push_back(ToFloat32(value));
  return widened;
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

TEST_P(ResponseOfShape, StoredBFloat16GivesTheBitsOfFloat32) {
  const auto [rows, columns] = GetParam();
  const auto values = Widened(Rounded(TorchRandom(5).Normal(rows * columns)));
  MemoryTensor tensor = MemoryTensorOf("w", {rows, columns}, values);
  const MemoryWeights wide({tensor});
  tensor.dtype = DType::kBF16;
  const MemoryWeights stored({tensor});
  ASSERT_TRUE(stored.IsBFloat16(0));

  const auto five_inputs = FiveInputs(columns);
  const InputBlock inputs(columns, five_inputs);
  const auto of_wide = MeasureResponse(wide, 0, inputs, 2);
  const auto of_stored = MeasureResponse(stored, 0, inputs, 2);
  ASSERT_TRUE(of_wide && of_stored);
  for (size_t k = 0; k < kNoiseCount; ++k) {
    EXPECT_EQ((*of_wide)[k].norm, (*of_stored)[k].norm);
    EXPECT_EQ((*of_wide)[k].unit_moments, (*of_stored)[k].unit_moments);
  }
  const auto wide_gradient = CrossEntropyGradient(wide, 0, five_inputs[0], rows / 2, 2);
  const auto stored_gradient = CrossEntropyGradient(stored, 0, five_inputs[0], rows / 2, 2);
  ASSERT_TRUE(wide_gradient && stored_gradient);
  EXPECT_EQ(*wide_gradient, *stored_gradient);
}

// The last one is wider than a block, so that its rows are cut.
INSTANTIATE_TEST_SUITE_P(Shapes, ResponseOfShape,
                         testing::Values(Shape{1, 1}, Shape{3, 5}, Shape{7, 16}, Shape{64, 96},
                                         Shape{33, 1000}, Shape{5, 1024}, Shape{4, 2049},
                                         Shape{300, 700}, Shape{3, 70001}));

TEST(ResponseKernel, EveryInstructionSetGivesTheReferenceBits) {
  constexpr size_t kRows = 67;
  constexpr size_t kColumns = 2500;
  TorchRandom random(4);
  const std::vector<BFloat16> rows = Rounded(random.Normal(kRows * kColumns));
  const std::vector<float> wide_rows = Widened(rows);
  const auto five_inputs = FiveInputs(kColumns);
  const InputBlock inputs(kColumns, five_inputs);
  const InputBlock one_input(kColumns, {five_inputs.data(), 1});
  const std::vector<float> weights = random.Normal(kRows);
  std::vector<double> expected_sums(kColumns);
  AddWeightedRowsReference(wide_rows.data(), kRows, kColumns, weights.data(), expected_sums.data());
  std::vector<Responses> expected(kRows);
  AddResponsesReference(wide_rows.data(), kRows, kColumns, inputs, 0, expected.data());
  std::vector<Responses> expected_of_stored(kRows);
  AddResponsesReference(rows.data(), kRows, kColumns, inputs, 0, expected_of_stored.data());
  EXPECT_EQ(expected_of_stored, expected);
  int64_t targets = hwy::SupportedTargets();
  int tried = 0;
  for (; targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    const auto expect_the_bits = [&](const auto* numbers) {
      std::vector<Responses> responses(kRows);
      AddResponses(numbers, kRows, kColumns, inputs, 0, responses.data());
      EXPECT_EQ(responses, expected);
      std::vector<Responses> to_one(kRows);
      AddResponses(numbers, kRows, kColumns, one_input, 0, to_one.data());
      for (size_t r = 0; r < kRows; ++r) EXPECT_EQ(to_one[r][0], expected[r][0]);
      std::vector<double> sums(kColumns);
      AddWeightedRows(numbers, kRows, kColumns, weights.data(), sums.data());
      EXPECT_EQ(sums, expected_sums);
    };
    expect_the_bits(rows.data());
    expect_the_bits(wide_rows.data());
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
}  // namespace tensorguard::internal
