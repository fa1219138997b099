// The p-value of agreeing matchings, with room for what independently trained networks share.
#ifndef TENSORGUARD_INDEPENDENCE_STATISTICS_AGREEMENT_H_
#define TENSORGUARD_INDEPENDENCE_STATISTICS_AGREEMENT_H_

#include <vector>

#include "independence/units/matched_units.h"

namespace tensorguard::internal {

// The fraction of units that may find each other again although the networks are independent:
// units that every training on such text grows. Over all layers, and in any single layer. Measured
// at most 0.018 and 0.031 on trained independent pairs, 0.33 and more on derived ones:
// docs/independence.md#agreement.
inline constexpr double kAgreeingByNature = 0.10;
inline constexpr double kAgreeingByNatureInOneLayer = 0.25;

// Natural logarithm of an upper bound of the p-value under the hypothesis that each unit agrees
// with at most these probabilities, independently: binomial tails of the pooled count (per pair of
// matrices) and of each layer's count, half of the error for either, corrected for their number.
// 0 (no evidence) for an empty list.
double LogAgreementP(const std::vector<Agreement>& agreements);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STATISTICS_AGREEMENT_H_
