#include "independence/matching_rounds.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/try.h"
#include "independence/statistics/agreement.h"

namespace tensorguard::internal {
namespace {

Result<void> MatchEach(const std::vector<size_t>& round, const MatchPair& match,
                       std::vector<MatchedPair>* matched) {
  for (const size_t pair : round) {
    TG_ASSIGN(auto agreements, match(pair));
    if (!agreements.empty()) matched->push_back({pair, std::move(agreements)});
  }
  return {};
}

bool ShowsNothing(const std::vector<MatchedPair>& matched) {
  std::vector<Agreement> all;
  for (const MatchedPair& each : matched) {
    all.insert(all.end(), each.agreements.begin(), each.agreements.end());
  }
  return !all.empty() && LogAgreementP(all) >= 0.0;
}

}  // namespace

std::vector<size_t> FirstRound(const std::vector<double>& similarities) {
  std::vector<size_t> pairs(similarities.size());
  std::iota(pairs.begin(), pairs.end(), size_t{0});
  if (pairs.size() <= kMostSimilarFirst + kSpreadFirst) return pairs;
  std::stable_sort(pairs.begin(), pairs.end(),
                   [&](size_t x, size_t y) { return similarities[x] > similarities[y]; });
  std::vector<size_t> first(pairs.begin(), pairs.begin() + kMostSimilarFirst);
  std::vector<size_t> others(pairs.begin() + kMostSimilarFirst, pairs.end());
  std::sort(others.begin(), others.end());
  for (size_t i = 0; i < kSpreadFirst; ++i) {
    first.push_back(others[(2 * i + 1) * others.size() / (2 * kSpreadFirst)]);
  }
  std::sort(first.begin(), first.end());
  return first;
}

Result<std::vector<MatchedPair>> MatchInRounds(const std::vector<double>& similarities,
                                               const MatchPair& match) {
  const std::vector<size_t> first = FirstRound(similarities);
  std::vector<MatchedPair> matched;
  TG_TRY(MatchEach(first, match, &matched));
  if (ShowsNothing(matched)) return matched;
  std::vector<size_t> second;
  for (size_t pair = 0; pair < similarities.size(); ++pair) {
    if (!std::binary_search(first.begin(), first.end(), pair)) second.push_back(pair);
  }
  TG_TRY(MatchEach(second, match, &matched));
  std::sort(matched.begin(), matched.end(),
            [](const MatchedPair& x, const MatchedPair& y) { return x.pair < y.pair; });
  return matched;
}

}  // namespace tensorguard::internal
