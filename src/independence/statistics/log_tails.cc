#include "independence/statistics/log_tails.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tensorguard::internal {
namespace {

// ln of the number of ways to choose `chosen` of `count`, without lgamma, which is not thread-safe.
double LogChoose(uint64_t count, uint64_t chosen) {
  chosen = std::min(chosen, count - chosen);
  double sum = 0.0;
  for (uint64_t i = 1; i <= chosen; ++i) {
    sum += std::log(static_cast<double>(count - chosen + i) / static_cast<double>(i));
  }
  return sum;
}

// ln cosh(x) without overflow.
double LogCosh(double x) {
  const double magnitude = std::abs(x);
  return magnitude + std::log1p(std::exp(-2.0 * magnitude)) - std::numbers::ln2;
}

// Where sum |c| tanh(t |c|) reaches `sum`, by bisection; the left side grows with t.
double BestTilt(std::span<const double> coins, double sum, double scale) {
  double low = 0.0;
  // Beyond it, tanh is 1 in double precision for every coin that matters to the sum.
  double high = 1000.0 / scale;
  for (int step = 0; step < 100; ++step) {
    const double middle = 0.5 * (low + high);
    double reached = 0.0;
    for (const double coin : coins) reached += std::abs(coin) * std::tanh(middle * std::abs(coin));
    (reached < sum ? low : high) = middle;
  }
  return low;
}

}  // namespace

double LogBinomialTail(uint64_t trials, uint64_t successes, double rate) {
  if (successes == 0) return 0.0;
  const double log_first = LogChoose(trials, successes) +
                           static_cast<double>(successes) * std::log(rate) +
                           static_cast<double>(trials - successes) * std::log1p(-rate);
  // Below the mode the terms first grow, above it they fall; either way this adds them all.
  double sum = 1.0;
  double term = 1.0;
  double log_scale = log_first;
  for (uint64_t k = successes; k < trials; ++k) {
    term *= static_cast<double>(trials - k) / static_cast<double>(k + 1) * rate / (1.0 - rate);
    sum += term;
    if (sum > 1e200) {
      log_scale += std::log(sum);
      term /= sum;
      sum = 1.0;
    }
    if (term < sum * 1e-18 && static_cast<double>(k) > static_cast<double>(trials) * rate) break;
  }
  return std::min(0.0, log_scale + std::log(sum));
}

double LogSignSumTailBound(std::span<const double> coins) {
  double sum = 0.0;
  double total = 0.0;
  for (const double coin : coins) {
    sum += coin;
    total += std::abs(coin);
  }
  if (sum <= 0.0) return 0.0;
  const double tilt = BestTilt(coins, sum, total / static_cast<double>(coins.size()));
  double bound = -tilt * sum;
  for (const double coin : coins) bound += LogCosh(tilt * coin);
  return std::min(0.0, bound);
}

}  // namespace tensorguard::internal
