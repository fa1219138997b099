// Reading single weights and multiplying with them.
#include "network/weight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> RandomNumbers(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = static_cast<float>(generator()) / 2147483648.0f - 1.0f;
  }
  return numbers;
}

FloatMatrix RandomMatrix(size_t rows, size_t columns, uint32_t seed) {
  FloatMatrix matrix(rows, columns);
  const auto numbers = RandomNumbers(rows * columns, seed);
  std::copy(numbers.begin(), numbers.end(), matrix.values().begin());
  return matrix;
}

TEST(ReadWeight, TakesRowsOfRunsInTheirOrder) {
  const MemoryWeights source = WeightsOf({{"w", Counted({6, 2})}});
  const Weight weight = {.role = {},
                         .rows = 4,
                         .columns = 2,
                         .stored_rows = 6,
                         .runs = {{.first = 4, .count = 2}, {.first = 0, .count = 2, .step = 3}}};
  const auto all = ReadWeight(source, weight);
  ASSERT_TRUE(all) << DescribeError(all.error());
  EXPECT_THAT(all->values(), ElementsAre(8, 9, 10, 11, 0, 1, 6, 7));
  const auto middle = ReadWeightRows(source, weight, 1, 2);
  ASSERT_TRUE(middle);
  EXPECT_THAT(middle->values(), ElementsAre(10, 11, 0, 1));
}

TEST(ReadWeight, TurnsInputMajorStorageRound) {
  const MemoryWeights source = WeightsOf({{"w", Counted({2, 3, 4})}});
  // The second of two stacked matrices with three inputs and four outputs.
  const Weight weight = {.role = {},
                         .rows = 2,
                         .columns = 3,
                         .first_element = 12,
                         .stored_rows = 4,
                         .runs = {{.first = 1, .count = 2, .step = 2}},
                         .input_major = true};
  const auto values = ReadWeight(source, weight);
  ASSERT_TRUE(values);
  EXPECT_THAT(values->values(), ElementsAre(13, 17, 21, 15, 19, 23));
}

TEST(ReadWeight, NamesTheFirstNumberThatIsNotFinite) {
  TensorValues tensor = Counted({3, 2});
  tensor.values[3] = std::numeric_limits<float>::infinity();
  const Model model = ModelOf({{"model.layers.0.self_attn.k_proj.weight", tensor}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  const auto values = ReadWeight(*model.weights, weights->at(0));
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(values.error().tensor, "model.layers.0.self_attn.k_proj.weight");
  EXPECT_THAT(values.error().found, HasSubstr("row 1, column 1 of its key"));
}

struct LinearCase {
  std::string name;
  uint64_t outputs;
  uint64_t inputs;
  bool input_major;
};

class Linear : public ::testing::TestWithParam<LinearCase> {};

TEST_P(Linear, IsThePlainProductForAnyNumberOfThreads) {
  const LinearCase& shape = GetParam();
  const uint64_t count = shape.outputs * shape.inputs;
  const TensorValues tensor = {.shape = {count}, .values = RandomNumbers(count, 1)};
  const MemoryWeights source = WeightsOf({{"w", tensor}});
  const Weight weight = {.role = {},
                         .rows = shape.outputs,
                         .columns = shape.inputs,
                         .stored_rows = shape.outputs,
                         .runs = {{.first = 0, .count = shape.outputs}},
                         .input_major = shape.input_major};
  const FloatMatrix inputs = RandomMatrix(3, shape.inputs, 2);
  const auto plain = ApplyWeightPlainly(source, weight, inputs);
  const auto one = ApplyWeight(source, weight, inputs, {.threads = 1});
  const auto four = ApplyWeight(source, weight, inputs, {.threads = 4});
  ASSERT_TRUE(plain && one && four);
  ASSERT_EQ(one->rows(), 3u);
  ASSERT_EQ(one->columns(), shape.outputs);
  for (size_t i = 0; i < plain->values().size(); ++i) {
    EXPECT_NEAR(one->values()[i], plain->values()[i],
                2e-6 * std::sqrt(static_cast<double>(shape.inputs)) + 1e-6);
    EXPECT_EQ(one->values()[i], four->values()[i]);
  }
}

// The large ones take several blocks.
INSTANTIATE_TEST_SUITE_P(Shapes, Linear,
                         ::testing::Values(LinearCase{"small", 5, 7, false},
                                           LinearCase{"small_input_major", 5, 7, true},
                                           LinearCase{"one_output", 1, 100, false},
                                           LinearCase{"one_input", 100, 1, false},
                                           LinearCase{"blocks", 1100, 1024, false},
                                           LinearCase{"wide", 2, 1'100'000, false},
                                           LinearCase{"blocks_input_major", 70, 70'000, true}),
                         [](const auto& test) { return test.param.name; });

MemoryWeights BFloat16Weights(uint64_t count) {
  std::vector<float> numbers = RandomNumbers(count, 1);
  for (float& number : numbers) number = ToFloat32(RoundToBFloat16(number));
  MemoryTensor tensor = MemoryTensorOf("w", {count}, std::move(numbers));
  tensor.dtype = DType::kBF16;
  return MemoryWeights({std::move(tensor)});
}

Weight WholeWeight(uint64_t rows, uint64_t columns) {
  return {.role = {},
          .rows = rows,
          .columns = columns,
          .stored_rows = rows,
          .runs = {{.first = 0, .count = rows}}};
}

TEST(ApplyWeight, RoundsTheInputsOfABFloat16Weight) {
  for (const bool input_major : {false, true}) {
    const MemoryWeights source = BFloat16Weights(700 * 600);
    Weight weight = WholeWeight(700, 600);
    weight.input_major = input_major;
    const FloatMatrix inputs = RandomMatrix(5, 600, 2);
    FloatMatrix rounded = inputs;
    for (float& value : rounded.values()) value = ToFloat32(RoundToBFloat16(value));
    const auto fast = ApplyWeight(source, weight, inputs);
    const auto of_rounded = ApplyWeight(source, weight, rounded);
    const auto plain = ApplyWeightPlainly(source, weight, inputs);
    ASSERT_TRUE(fast && of_rounded && plain);
    for (size_t i = 0; i < plain->values().size(); ++i) {
      EXPECT_NEAR(fast->values()[i], plain->values()[i], 1e-4);
      EXPECT_EQ(fast->values()[i], of_rounded->values()[i]);
    }
  }
}

TEST(ApplyWeight, NamesANumberOfABFloat16WeightThatIsNotFinite) {
  MemoryTensor tensor = MemoryTensorOf("w", {2, 2}, {1, 2, 3, INFINITY});
  tensor.dtype = DType::kBF16;
  const MemoryWeights source({tensor});
  const auto product = ApplyWeight(source, WholeWeight(2, 2), FloatMatrix(1, 2));
  ASSERT_FALSE(product);
  EXPECT_THAT(product.error().found, HasSubstr("inf in row 1, column 1"));
}

// Puts the blocks together again.
class Collector : public WeightBlockObserver {
 public:
  explicit Collector(const Weight& weight)
      : values_(weight.rows, weight.columns), seen_(BlockCount(weight)) {}

  Result<void> Observe(const Weight& weight, const WeightBlock& block) override {
    EXPECT_LE(block.rows, RowsPerBlock(weight));
    EXPECT_EQ(block.first_row, block.index * RowsPerBlock(weight));
    size_t at = block.first_row * weight.columns;
    std::visit(
        [&](auto values) {
          EXPECT_EQ(values.size(), block.rows * weight.columns);
          for (const auto value : values) values_.values()[at++] = AsNumber(value);
        },
        block.values);
    ++seen_[block.index];
    return {};
  }

  const FloatMatrix& values() const { return values_; }
  const std::vector<int>& seen() const { return seen_; }

 private:
  static float AsNumber(float value) { return value; }
  static float AsNumber(BFloat16 value) { return ToFloat32(value); }

  FloatMatrix values_;
  std::vector<int> seen_;  // each block by one thread
};

TEST(ApplyWeight, ShowsEveryBlockToTheObserver) {
  for (const bool input_major : {false, true}) {
    const MemoryWeights source = BFloat16Weights(1100 * 600);
    Weight weight = WholeWeight(1100, 600);
    weight.input_major = input_major;
    Collector collector(weight);
    weight.observer = &collector;
    ASSERT_GT(BlockCount(weight), 2u);
    ASSERT_TRUE(ApplyWeight(source, weight, FloatMatrix(1, 600), {.threads = 3}));
    const auto whole = ReadWeight(source, weight);
    ASSERT_TRUE(whole);
    EXPECT_THAT(collector.seen(), ::testing::Each(1));
    EXPECT_TRUE(std::ranges::equal(collector.values().values(), whole->values()));
  }
}

TEST(ApplyWeight, KeepsGroupsApart) {
  const MemoryWeights source = WeightsOf({{"w", Counted({4, 2, 1})}});
  const Weight weight = {.role = {},
                         .rows = 4,
                         .columns = 2,
                         .stored_rows = 4,
                         .runs = {{.first = 0, .count = 4}},
                         .groups = 2};
  FloatMatrix inputs(1, 4);
  const std::vector<float> numbers = {1, 2, 10, 20};
  std::copy(numbers.begin(), numbers.end(), inputs.values().begin());
  const auto outputs = ApplyWeight(source, weight, inputs);
  ASSERT_TRUE(outputs) << DescribeError(outputs.error());
  EXPECT_THAT(outputs->values(), ElementsAre(2, 8, 140, 200));
  EXPECT_THAT(ApplyWeightPlainly(source, weight, inputs)->values(), ElementsAre(2, 8, 140, 200));
}

TEST(ApplyWeight, OfNoInputsIsEmpty) {
  const Model model = ModelOf({{"model.layers.0.self_attn.k_proj.weight", Counted({3, 2})}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  const auto outputs = ApplyWeight(*model.weights, weights->at(0), FloatMatrix(0, 2));
  ASSERT_TRUE(outputs);
  EXPECT_EQ(outputs->rows(), 0u);
  EXPECT_EQ(outputs->columns(), 3u);
}

}  // namespace
}  // namespace tensorguard::internal
