// How often independent models score how high.
#ifndef TENSORGUARD_COMPARISON_INDEPENDENT_TAIL_H_
#define TENSORGUARD_COMPARISON_INDEPENDENT_TAIL_H_

#include <cstddef>

namespace tensorguard::internal {

// Probability that a pair of independent models scores `score` or higher, in (0, 1]: an
// exponential tail fitted above the calibrated pairs (docs/calibration.md#score).
double IndependentTail(double score);

// That at least one of `candidates` independent ones does: 1 - (1 - p)^candidates, the exact form
// of Bonferroni's bound for independent candidates (Sidak 1967).
double CorrectedForCandidates(double p_value, size_t candidates);

// A model is called known only below this probability that any candidate scores so high by chance.
inline constexpr double kFamilyWiseError = 0.01;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_INDEPENDENT_TAIL_H_
