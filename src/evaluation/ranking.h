// How well a score separates derived pairs from independent ones.
#ifndef TENSORGUARD_EVALUATION_RANKING_H_
#define TENSORGUARD_EVALUATION_RANKING_H_

#include <cstddef>
#include <optional>
#include <span>

namespace tensorguard::internal {

// Each value is empty where it is not defined: without derived or without independent pairs.
struct Ranking {
  size_t derived = 0;      // pairs that have a score
  size_t independent = 0;  // pairs that have a score
  // Probability that a derived pair scores above an independent one, ties counted half (the area
  // under the ROC curve, Mann-Whitney U).
  std::optional<double> auc = {};
  // Share of derived pairs strictly above every independent pair; above all but 1% of them
  // (rounded down: with fewer than 100 independent pairs the same).
  std::optional<double> found_at_no_false_positive = {};
  std::optional<double> found_at_1_percent = {};
  std::optional<double> lowest_derived = {};
  std::optional<double> highest_independent = {};
  std::optional<double> margin = {};  // the one minus the other
};

// Higher scores are closer. REQUIRES: all finite.
Ranking RankPairs(std::span<const double> derived_scores,
                  std::span<const double> independent_scores);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_EVALUATION_RANKING_H_
