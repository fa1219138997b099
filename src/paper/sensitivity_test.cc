#include "paper/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "paper/inputs/random_numbers.h"
#include "tests/support/memory_weights.h"

namespace tensorguard::internal {
namespace {

TEST(MeasureSensitivity, GainGrowsWithTheWeightsAndTheGradientNormDoesNot) {
  const std::vector<float> values = TorchRandom(6).Normal(32 * 16);
  std::vector<float> tripled = values;
  for (float& value : tripled) value *= 3;
  const MemoryWeights weights = WeightsOf({{"a", {{32, 16}, values}}, {"b", {{32, 16}, tripled}}});
  const auto measured = MeasureSensitivity(weights);
  ASSERT_TRUE(measured);
  ASSERT_EQ(measured->size(), 2u);
  for (size_t k = 0; k < kNoiseCount; ++k) {
    EXPECT_EQ((*measured)[0].gradient_norm[k], (*measured)[1].gradient_norm[k]);
    EXPECT_NEAR((*measured)[1].gain[k] / (*measured)[0].gain[k], 3.0, 1e-5);
  }
}

TEST(MeasureSensitivity, AnIdentityMatrixHasGainOne) {
  std::vector<float> identity(64);
  for (size_t i = 0; i < 8; ++i) identity[i * 8 + i] = 1;
  const auto measured = MeasureSensitivity(WeightsOf({{"w", {{8, 8}, identity}}}));
  ASSERT_TRUE(measured);
  for (const double gain : measured->front().gain) EXPECT_NEAR(gain, 1.0, 1e-6);
}

TEST(MeasureSensitivity, AModelWithoutMatricesIsAnError) {
  const auto measured = MeasureSensitivity(WeightsOf({{"bias", {{2}, {1, 2}}}}));
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().problem, "model has no matrix to measure");
}

}  // namespace
}  // namespace tensorguard::internal
