#include "network/attention/relative_positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

// One head of one column. The waves of a distance are its sine and its cosine, of which the matrix
// takes the sine.
class RelativePositionsTest : public ::testing::Test {
 protected:
  RelativePositionsTest()
      : model_(ModelOf({{"transformer.layer.0.rel_attn.r", {{2, 1, 1}, {1, 0}}},
                        {"transformer.layer.0.rel_attn.r_w_bias", {{1, 1}, {2}}},
                        {"transformer.layer.0.rel_attn.r_r_bias", {{1, 1}, {3}}},
                        {"transformer.layer.0.rel_attn.r_s_bias", {{1, 1}, {5}}},
                        {"transformer.layer.0.rel_attn.seg_embed", {{2, 1, 1}, {7, 11}}}},
                       {{"model_type", "xlnet"}})),
        weights_(*SplitWeights(model_)) {
    std::vector<const Weight*> all;
    for (const Weight& weight : weights_) all.push_back(&weight);
    found_ = FindRelativePositions(LayerParts(*model_.weights, std::move(all)));
  }

  // Of queries 1 and 0 and keys 0 and 10.
  std::vector<float> BiasOf(const RelativePlaces& places) const {
    AttentionRows rows{.queries = FloatMatrix(2, 1), .keys = FloatMatrix(2, 1), .values = {}};
    rows.queries.Row(0)[0] = 1;
    rows.keys.Row(1)[0] = 10;
    const AttentionShape shape{.heads = 1, .key_heads = 1, .head_size = 1, .value_size = 1};
    const auto bias = found_->Bias(rows, shape, 0.5f, places);
    if (!bias) return {};
    return {bias->values().begin(), bias->values().end()};
  }

  Model model_;
  std::vector<Weight> weights_;
  std::optional<RelativePositions> found_;
};

TEST_F(RelativePositionsTest, AddContentAndDistance) {
  ASSERT_TRUE(found_);
  const float sine = std::sin(1.0f);
  EXPECT_THAT(BiasOf(RelativePlaces::OfSequence(2)),
              testing::Pointwise(testing::FloatNear(1e-5f),
                                 std::vector<float>{0, 10 - 4 * sine / 2, 3 * sine / 2, 10}));
}

TEST_F(RelativePositionsTest, LeaveOutTheFirstWhereItIsApart) {
  ASSERT_TRUE(found_);
  RelativePlaces places = RelativePlaces::OfSequence(2);
  places.first_is_apart = true;
  EXPECT_THAT(BiasOf(places),
              testing::Pointwise(testing::FloatNear(1e-5f), std::vector<float>{0, 10, 0, 10}));
}

}  // namespace
}  // namespace tensorguard::internal
