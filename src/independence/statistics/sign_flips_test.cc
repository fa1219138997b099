#include "independence/statistics/sign_flips.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "independence/statistics/kolmogorov_smirnov.h"

namespace tensorguard::internal {
namespace {

std::vector<double> NormalNumbers(size_t count, double mean, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(mean, 1.0);
  std::vector<double> numbers(count);
  for (double& number : numbers) number = normal(generator);
  return numbers;
}

TEST(TestSignFlips, EstimatesTheExactPValue) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const auto contrasts = NormalNumbers(16, 0.2, seed);
    const double exact = std::exp(LogSignFlipPExhaustively(contrasts));
    const double estimated = std::exp(TestSignFlips(contrasts, 5, 1).log_p);
    // Four standard deviations of a fraction of kSignPatterns.
    EXPECT_NEAR(estimated, exact, 4.0 * std::sqrt(exact * (1.0 - exact) / kSignPatterns) + 2e-4);
  }
}

TEST(TestSignFlips, IsUniformForFairCoins) {
  std::vector<double> p_values;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    p_values.push_back(std::exp(TestSignFlips(NormalNumbers(40, 0.0, 1000 + seed), 0, 1).log_p));
  }
  EXPECT_GT(TestUniformity(p_values).p_value, 0.01);
}

TEST(TestSignFlips, QuotesTheBoundFarOut) {
  const SignFlipResult result = TestSignFlips(std::vector<double>(200, 1.0), 0, 1);
  EXPECT_TRUE(result.is_bound);
  EXPECT_NEAR(result.log_p, 200.0 * std::log(0.5), 1e-6);
}

TEST(TestSignFlips, HasNoEvidenceWithoutContrasts) {
  EXPECT_EQ(TestSignFlips({}, 0, 1).log_p, 0.0);
  EXPECT_EQ(TestSignFlips(std::vector<double>(10, 0.0), 0, 1).log_p, 0.0);
}

TEST(TestSignFlips, DoesNotDependOnTheNumberOfThreads) {
  const auto contrasts = NormalNumbers(100, 0.05, 3);
  const double one = TestSignFlips(contrasts, 0, 1).log_p;
  EXPECT_EQ(TestSignFlips(contrasts, 0, 2).log_p, one);
  EXPECT_EQ(TestSignFlips(contrasts, 0, 7).log_p, one);
}

TEST(TestSignFlips, IgnoresZeros) {
  auto contrasts = NormalNumbers(30, 0.1, 9);
  const double p = TestSignFlips(contrasts, 0, 1).log_p;
  contrasts.insert(contrasts.begin() + 7, 0.0);
  EXPECT_EQ(TestSignFlips(contrasts, 0, 1).log_p, p);
}

}  // namespace
}  // namespace tensorguard::internal
