// Tails of null distributions, as natural logarithms, so that evidence far below the smallest
// double keeps its size.
#ifndef TENSORGUARD_INDEPENDENCE_STATISTICS_LOG_TAILS_H_
#define TENSORGUARD_INDEPENDENCE_STATISTICS_LOG_TAILS_H_

#include <cstdint>
#include <span>

namespace tensorguard::internal {

// ln P(X >= successes) for X ~ Binomial(trials, rate), summed term by term.
// REQUIRES: successes <= trials, 0 < rate < 1.
double LogBinomialTail(uint64_t trials, uint64_t successes, double rate);

// An upper bound of ln P(sum of s_i |coins_i| >= sum of coins_i) for independent fair signs s_i:
// Chernoff's bound, min over t of sum ln cosh(t |coins_i|) - t sum(coins). It holds for every t, so
// that how well the minimum is found affects its sharpness, never its truth. 0 where the sum is not
// positive. REQUIRES: finite numbers.
double LogSignSumTailBound(std::span<const double> coins);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STATISTICS_LOG_TAILS_H_
