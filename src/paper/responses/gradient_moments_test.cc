#include "paper/responses/gradient_moments.h"

#include <gtest/gtest.h>

#include <cmath>

#include "paper/inputs/random_numbers.h"

namespace tensorguard::internal {
namespace {

TEST(MomentsOfGradient, ClosedFormAgreesWithTheGradientItself) {
  TorchRandom random(0);
  const std::vector<float> x = random.Normal(37);
  std::vector<double> u;
  double norm = 0;
  for (const float value : random.Normal(51)) u.push_back(value * value * value + 0.5);
  for (const double value : u) norm += value * value;
  norm = std::sqrt(norm);
  InputResponse response = {.norm = norm};
  for (double& value : u) {
    value /= norm;
    for (size_t k = 0; k < 4; ++k) {
      response.unit_moments[k] += std::pow(value, static_cast<double>(k + 1)) / 51;
    }
  }
  const GradientMoments closed = MomentsOfGradient(response, x);
  const GradientMoments plain = MomentsOfGradientReference(u, x);
  EXPECT_NEAR(closed.mean, plain.mean, 1e-12);
  EXPECT_NEAR(closed.std, plain.std, 1e-12);
  EXPECT_NEAR(closed.norm, plain.norm, 1e-12);
  EXPECT_NEAR(closed.skewness, plain.skewness, 1e-10);
  EXPECT_NEAR(closed.kurtosis, plain.kurtosis, 1e-9);
}

TEST(MomentsOfGradient, OneWeightHasNoSpread) {
  const InputResponse response = {.norm = 2, .unit_moments = {1, 1, 1, 1}};
  const std::vector<float> x = {1.5f};
  EXPECT_FALSE(std::isfinite(MomentsOfGradient(response, x).skewness));
}

}  // namespace
}  // namespace tensorguard::internal
