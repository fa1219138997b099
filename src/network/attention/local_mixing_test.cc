#include "network/attention/local_mixing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

// Both columns alike.
FloatMatrix RowsOf(const std::vector<float>& numbers, size_t columns) {
  FloatMatrix rows(numbers.size(), columns);
  for (size_t row = 0; row < rows.rows(); ++row) std::ranges::fill(rows.Row(row), numbers[row]);
  return rows;
}

// A layer of these tensors, and what it does to attention that gave nothing.
class MixingOf {
 public:
  explicit MixingOf(const std::map<std::string, TensorValues>& tensors)
      : model_(ModelOf(tensors)), weights_(*SplitWeights(model_)) {
    std::vector<const Weight*> all;
    for (const Weight& weight : weights_) all.push_back(&weight);
    mixing_ = FindLocalMixing(LayerParts(*model_.weights, std::move(all)));
  }

  // One head of so many columns.
  std::vector<float> Of(const std::vector<float>& numbers, size_t columns,
                        size_t sequence_length) const {
    const FloatMatrix rows = RowsOf(numbers, columns);
    const AttentionShape shape{
        .heads = 1, .key_heads = 1, .head_size = columns, .value_size = columns};
    const AttentionRows projected{.queries = rows, .keys = rows, .values = rows};
    const auto mixed = MixLocally(*mixing_, shape, rows, projected, sequence_length,
                                  FloatMatrix(rows.rows(), columns));
    if (!mixed) return {};
    return {mixed->values().begin(), mixed->values().end()};
  }

  const std::optional<LocalMixing>& mixing() const { return mixing_; }

 private:
  Model model_;
  std::vector<Weight> weights_;
  std::optional<LocalMixing> mixing_;
};

TEST(LocalMixing, AddsTapsOverTheValuesOfTheSequence) {
  const MixingOf layer(
      {{"encoder.layer.0.attention.self.conv.weight", {{1, 1, 3, 1}, {1, 10, 100}}}});
  ASSERT_TRUE(layer.mixing());
  EXPECT_THAT(layer.Of({1, 2, 4, 8}, 1, 4), ElementsAre(210, 421, 842, 84));
  EXPECT_THAT(layer.Of({1, 2, 4, 8}, 1, 2), ElementsAre(210, 21, 840, 84)) << "two sequences";
}

TEST(LocalMixing, PutsConvolutionsBesideTheHeads) {
  const std::string self = "encoder.layer.0.attention.self.";
  // Taps that do not hang on the token: each of the three counts a third.
  const MixingOf layer(
      {{self + "key_conv_attn_layer.depthwise.weight", {{2, 1, 3}, {0, 1, 0, 0, 1, 0}}},
       {self + "key_conv_attn_layer.pointwise.weight", {{2, 2, 1}, {1, 0, 0, 1}}},
       {self + "key_conv_attn_layer.bias", {{2, 1}, {0, 0}}},
       {self + "conv_kernel_layer.weight", {{3, 2}, {0, 0, 0, 0, 0, 0}}},
       {self + "conv_out_layer.weight", {{2, 2}, {3, 0, 0, 3}}}});
  ASSERT_TRUE(layer.mixing());
  EXPECT_THAT(layer.Of({1, 2, 4}, 2, 3),
              testing::Pointwise(testing::FloatNear(1e-5f),
                                 std::vector<float>{0, 0, 3, 3, 0, 0, 7, 7, 0, 0, 6, 6}));
}

}  // namespace
}  // namespace tensorguard::internal
