#include "independence/statistics/sign_flips.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "base/random_bits.h"
#include "independence/statistics/log_tails.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kPatternsPerTask = 50;

// The sum with the signs of pattern number `pattern`, added in the order of the contrasts.
double PatternSum(std::span<const double> magnitudes, uint64_t seed, uint64_t pattern) {
  const uint64_t pattern_seed = RandomBits(seed, pattern);
  double sum = 0.0;
  for (size_t begin = 0; begin < magnitudes.size(); begin += 64) {
    uint64_t bits = RandomBits(pattern_seed, begin / 64);
    const size_t end = std::min(begin + 64, magnitudes.size());
    for (size_t i = begin; i < end; ++i, bits >>= 1) {
      sum += (bits & 1) != 0 ? magnitudes[i] : -magnitudes[i];
    }
  }
  return sum;
}

uint64_t PatternsReaching(std::span<const double> magnitudes, double observed, uint64_t seed,
                          unsigned threads) {
  const size_t tasks = (kSignPatterns + kPatternsPerTask - 1) / kPatternsPerTask;
  std::vector<uint64_t> reached(tasks);
  const auto done = ParallelFor(tasks, threads, [&](size_t task) -> Result<void> {
    const uint64_t end = std::min<uint64_t>((task + 1) * kPatternsPerTask, kSignPatterns);
    for (uint64_t pattern = task * kPatternsPerTask; pattern < end; ++pattern) {
      if (PatternSum(magnitudes, seed, pattern) >= observed) ++reached[task];
    }
    return {};
  });
  static_cast<void>(done);  // the work has no errors
  uint64_t total = 0;
  for (const uint64_t count : reached) total += count;
  return total;
}

}  // namespace

SignFlipResult TestSignFlips(std::span<const double> contrasts, uint64_t seed, unsigned threads) {
  std::vector<double> coins;
  std::vector<double> magnitudes;
  double observed = 0.0;
  for (const double contrast : contrasts) {
    if (contrast == 0.0) continue;
    coins.push_back(contrast);
    magnitudes.push_back(std::abs(contrast));
    observed += contrast;
  }
  if (coins.empty()) return {};
  const uint64_t reached = PatternsReaching(magnitudes, observed, seed, threads);
  SignFlipResult result{
      .log_p = std::log(static_cast<double>(reached + 1) / static_cast<double>(kSignPatterns + 1))};
  if (reached == 0) {
    const double bound = LogSignSumTailBound(coins);
    if (bound < result.log_p) result = {.log_p = bound, .is_bound = true};
  }
  return result;
}

double LogSignFlipPExhaustively(std::span<const double> contrasts) {
  double observed = 0.0;
  for (const double contrast : contrasts) observed += contrast;
  const uint64_t patterns = uint64_t{1} << contrasts.size();
  uint64_t reached = 0;
  for (uint64_t pattern = 0; pattern < patterns; ++pattern) {
    double sum = 0.0;
    for (size_t i = 0; i < contrasts.size(); ++i) {
      sum += ((pattern >> i) & 1) != 0 ? std::abs(contrasts[i]) : -std::abs(contrasts[i]);
    }
    if (sum >= observed) ++reached;
  }
  return std::log(static_cast<double>(reached) / static_cast<double>(patterns));
}

}  // namespace tensorguard::internal
