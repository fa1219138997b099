#include "evaluation/ranking.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace tensorguard::internal {
namespace {

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// `ascending` sorted.
double Auc(std::span<const double> derived, const std::vector<double>& ascending) {
  double won = 0;
  for (const double score : derived) {
    const auto [first_equal, first_above] =
        std::equal_range(ascending.begin(), ascending.end(), score);
    won += static_cast<double>(first_equal - ascending.begin()) +
           0.5 * static_cast<double>(first_above - first_equal);
  }
  return won / (static_cast<double>(derived.size()) * static_cast<double>(ascending.size()));
}

double ShareAbove(std::span<const double> scores, double threshold) {
  const auto above =
      std::count_if(scores.begin(), scores.end(), [&](double s) { return s > threshold; });
  return static_cast<double>(above) / static_cast<double>(scores.size());
}

}  // namespace

Ranking RankPairs(std::span<const double> derived_scores,
                  std::span<const double> independent_scores) {
  Ranking ranking = {.derived = derived_scores.size(), .independent = independent_scores.size()};
  if (!derived_scores.empty()) {
    ranking.lowest_derived = *std::min_element(derived_scores.begin(), derived_scores.end());
  }
  if (!independent_scores.empty()) {
    ranking.highest_independent =
        *std::max_element(independent_scores.begin(), independent_scores.end());
  }
  if (derived_scores.empty() || independent_scores.empty()) return ranking;
  const std::vector<double> ascending = Sorted(independent_scores);
  const size_t allowed = ascending.size() / 100;
  ranking.auc = Auc(derived_scores, ascending);
  ranking.found_at_no_false_positive = ShareAbove(derived_scores, ascending.back());
  ranking.found_at_1_percent =
      ShareAbove(derived_scores, ascending[ascending.size() - 1 - allowed]);
  ranking.margin = *ranking.lowest_derived - *ranking.highest_independent;
  return ranking;
}

}  // namespace tensorguard::internal
