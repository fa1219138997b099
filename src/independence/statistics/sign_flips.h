// The sign-flip test: whether contrasts whose signs are fair coins under the null lean one way.
#ifndef TENSORGUARD_INDEPENDENCE_STATISTICS_SIGN_FLIPS_H_
#define TENSORGUARD_INDEPENDENCE_STATISTICS_SIGN_FLIPS_H_

#include <cstdint>
#include <span>

namespace tensorguard::internal {

// Random sign patterns drawn; the smallest p that they can show is 1 / (this + 1).
inline constexpr uint64_t kSignPatterns = 4999;

struct SignFlipResult {
  double log_p = 0.0;     // natural logarithm
  bool is_bound = false;  // from LogSignSumTailBound, where no pattern reached the observed sum
};

// One-sided p-value of sum(contrasts) given their magnitudes. The Monte Carlo value
// (1 + patterns that reach the sum) / (1 + patterns) is exactly uniform under the null; where no
// pattern reaches the sum, Chernoff's bound is quoted if it is smaller, which keeps P(p <= x) <= x
// for every x, because below 1 / (1 + patterns) only the bound speaks and above it only the
// patterns do. Zeros carry nothing and are left out; 1 where nothing is left. The same for any
// number of threads (0: one per processor). REQUIRES: finite numbers.
SignFlipResult TestSignFlips(std::span<const double> contrasts, uint64_t seed, unsigned threads);

// The same p-value by listing all patterns: what the two parts are tested against.
// REQUIRES: at most 24 contrasts.
double LogSignFlipPExhaustively(std::span<const double> contrasts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STATISTICS_SIGN_FLIPS_H_
