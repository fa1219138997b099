#include "independence/statistics/kolmogorov_smirnov.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {
namespace {

TEST(TestUniformity, FindsNoFaultWithEvenlySpreadNumbers) {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back((i + 0.5) / 200.0);
  const UniformityTest test = TestUniformity(values);
  EXPECT_NEAR(test.distance, 0.0025, 1e-12);
  EXPECT_GT(test.p_value, 0.999);
}

TEST(TestUniformity, RejectsNumbersThatLean) {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back(std::pow((i + 0.5) / 200.0, 2.0));
  EXPECT_LT(TestUniformity(values).p_value, 1e-4);
}

// Tables of Kolmogorov's distribution: P(K >= 1.358) = 0.05.
TEST(TestUniformity, GivesTheTabulatedPValue) {
  const double distance = 1.358 / (std::sqrt(100.0) + 0.12 + 0.011);
  std::vector<double> values(100);
  for (int i = 0; i < 100; ++i) values[i] = std::min(1.0, i / 100.0 + distance);
  const UniformityTest test = TestUniformity(values);
  EXPECT_NEAR(test.distance, distance, 1e-12);
  EXPECT_NEAR(test.p_value, 0.05, 1e-3);
}

}  // namespace
}  // namespace tensorguard::internal
