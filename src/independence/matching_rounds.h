// Pairs of blocks, or of layers' heads, are matched in two rounds: where the first shows nothing,
// the second is left out.
#ifndef TENSORGUARD_INDEPENDENCE_MATCHING_ROUNDS_H_
#define TENSORGUARD_INDEPENDENCE_MATCHING_ROUNDS_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "independence/units/matched_units.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Pairs of the first round: the most similar ones, where copied parts are; and as many spread
// evenly over the others, as the most similar can be put there for show.
inline constexpr size_t kMostSimilarFirst = 2;
inline constexpr size_t kSpreadFirst = 2;

// Which pairs those are, of these similarities: indices, ascending.
std::vector<size_t> FirstRound(const std::vector<double>& similarities);

// What a pair's units agree in; empty where it has none to match.
using MatchPair = std::function<Result<std::vector<Agreement>>(size_t pair)>;

struct MatchedPair {
  size_t pair = 0;
  std::vector<Agreement> agreements;  // not empty
};

// Matches the first round, and all others unless its p-value (LogAgreementP) is 1: then at most the
// allowance agrees in the most similar pairs, and what is left is less alike. Leaving pairs out so
// gives 1 and never a smaller p-value than asking them all. In ascending order.
Result<std::vector<MatchedPair>> MatchInRounds(const std::vector<double>& similarities,
                                               const MatchPair& match);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_MATCHING_ROUNDS_H_
