#include "network/parts/norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

FloatMatrix RowOf(std::vector<float> values) {
  FloatMatrix matrix(1, values.size());
  std::copy(values.begin(), values.end(), matrix.values().begin());
  return matrix;
}

TEST(Normalise, DividesByTheRootMeanSquare) {
  FloatMatrix rows = RowOf({3, -4});
  Normalise(NormKind::kRms, 0, 0, rows);
  const float root = std::sqrt(12.5f);
  EXPECT_THAT(rows.values(), ElementsAre(FloatNear(3 / root, 1e-6f), FloatNear(-4 / root, 1e-6f)));
}

TEST(Normalise, CentresALayerNorm) {
  FloatMatrix rows = RowOf({1, 3});
  Normalise(NormKind::kLayer, 0, 0, rows);
  EXPECT_THAT(rows.values(), ElementsAre(FloatNear(-1, 1e-6f), FloatNear(1, 1e-6f)));
}

TEST(Normalise, TakesGroupsOneByOne) {
  FloatMatrix rows = RowOf({2, 2, 10, 10});
  Normalise(NormKind::kRms, 0, 2, rows);
  EXPECT_THAT(rows.values(), ElementsAre(1, 1, 1, 1));
}

TEST(Normalise, KeepsAZeroRowZero) {
  FloatMatrix rows = RowOf({0, 0});
  Normalise(NormKind::kRms, 1e-6, 0, rows);
  EXPECT_THAT(rows.values(), ElementsAre(0, 0));
  Normalise(NormKind::kRms, 0, 0, rows);
  EXPECT_THAT(rows.values(), ElementsAre(0, 0));
}

class NormOfWeights : public ::testing::Test {
 protected:
  Model model_ =
      ModelOf({{"model.norm.weight", {{2}, {1, 3}}}, {"model.norm.bias", {{2}, {5, 7}}}});
  std::vector<Weight> weights_ = *SplitWeights(model_);  // sorted: bias, weight
  Norm norm_ = {.source = model_.weights.get(), .epsilon = 0, .gain = &weights_[1]};
};

TEST_F(NormOfWeights, AppliesGainAndBias) {
  norm_.bias = &weights_[0];
  const auto rows = norm_.Apply(RowOf({1, 1}));
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(), ElementsAre(6, 10));
}

TEST_F(NormOfWeights, AddsOneToAGainThatIsStoredSo) {
  norm_.gain_plus_one = true;
  const auto rows = norm_.Apply(RowOf({1, 1}));
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(), ElementsAre(2, 4));
}

TEST_F(NormOfWeights, RepeatsTheGainOfOneHead) {
  norm_.group = 2;
  const auto rows = norm_.Apply(RowOf({1, 1, 4, 4}));
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(), ElementsAre(1, 3, 1, 3));
}

TEST_F(NormOfWeights, RefusesRowsThatItDoesNotFit) {
  const auto rows = norm_.Apply(RowOf({1, 1, 1}));
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(rows.error().tensor, "model.norm.weight");
}

}  // namespace
}  // namespace tensorguard::internal
