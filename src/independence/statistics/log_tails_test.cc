#include "independence/statistics/log_tails.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random_bits.h"
#include "independence/statistics/sign_flips.h"

namespace tensorguard::internal {
namespace {

// The tail as a sum of probabilities, by Pascal's rule.
double PlainBinomialTail(int trials, int successes, double rate) {
  std::vector<double> probability = {1.0};
  for (int n = 1; n <= trials; ++n) {
    std::vector<double> next(n + 1);
    for (int k = 0; k < n; ++k) {
      next[k] += probability[k] * (1.0 - rate);
      next[k + 1] += probability[k] * rate;
    }
    probability = std::move(next);
  }
  double tail = 0.0;
  for (int k = trials; k >= successes; --k) tail += probability[k];
  return tail;
}

TEST(LogBinomialTail, EqualsThePlainSum) {
  for (const double rate : {0.01, 0.1, 0.25, 0.9}) {
    for (int successes = 0; successes <= 40; ++successes) {
      EXPECT_NEAR(std::exp(LogBinomialTail(40, successes, rate)),
                  PlainBinomialTail(40, successes, rate), 1e-12)
          << rate << " " << successes;
    }
  }
}

TEST(LogBinomialTail, KeepsEvidenceBelowTheSmallestDouble) {
  EXPECT_NEAR(LogBinomialTail(2000, 2000, 0.1), 2000.0 * std::log(0.1), 1e-6);
}

TEST(LogBinomialTail, IsNearlyZeroBelowTheMean) {
  EXPECT_NEAR(LogBinomialTail(1000000, 10, 0.5), 0.0, 1e-8);
}

TEST(LogSignSumTailBound, IsExactForEqualCoinsThatAllAgree) {
  const std::vector<double> coins(500, 0.3);
  EXPECT_NEAR(LogSignSumTailBound(coins), 500.0 * std::log(0.5), 1e-6);
}

TEST(LogSignSumTailBound, NeverFallsBelowTheExactTail) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<double> coins(14);
    for (size_t i = 0; i < coins.size(); ++i) {
      coins[i] = static_cast<double>(RandomBits(seed, i) % 1000) / 1000.0 - 0.25;
    }
    EXPECT_GE(LogSignSumTailBound(coins), LogSignFlipPExhaustively(coins) - 1e-12) << seed;
  }
}

TEST(LogSignSumTailBound, SaysNothingWhereTheSumIsNotPositive) {
  EXPECT_EQ(LogSignSumTailBound(std::vector<double>{1.0, -2.0}), 0.0);
  EXPECT_EQ(LogSignSumTailBound(std::vector<double>{}), 0.0);
}

TEST(LogSignSumTailBound, HoldsForCoinsOfVeryDifferentSize) {
  const std::vector<double> coins = {1e-9, 1e-9, 1.0};
  EXPECT_GE(LogSignSumTailBound(coins), 3.0 * std::log(0.5));
  EXPECT_LT(LogSignSumTailBound(coins), 0.99 * std::log(0.5));
}

}  // namespace
}  // namespace tensorguard::internal
