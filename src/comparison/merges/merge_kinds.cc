#include "comparison/merges/merge_kinds.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

std::vector<const WeightSummary*> FilledMatrices(const Fingerprint& model) {
  std::vector<const WeightSummary*> matrices;
  for (const WeightSummary& weight : model.weights) {
    if (IsLearnedMatrix(weight) && weight.norm > 0) matrices.push_back(&weight);
  }
  return matrices;
}

// Of its matrices as they are and as a narrower type holds them: tools store merges anew.
std::set<WeightDigest> HeldDigests(const Fingerprint& model) {
  std::set<WeightDigest> digests;
  for (const WeightSummary* weight : FilledMatrices(model)) {
    digests.insert(weight->digest);
    if (weight->digest_as_bfloat16) digests.insert(*weight->digest_as_bfloat16);
    if (weight->digest_as_float16) digests.insert(*weight->digest_as_float16);
  }
  return digests;
}

void SortByWeight(MergeExplanation& merge) {
  std::stable_sort(merge.parents.begin(), merge.parents.end(),
                   [](const MergeParent& x, const MergeParent& y) { return x.weight > y.weight; });
}

// Where the child lies between two candidates, in one matrix.
struct Between {
  double weight = 0;    // of the second
  double distance = 0;  // squared
  double left = 0;      // the same over that of the two candidates
  bool apart = false;   // the two candidates differ there
};

Between PlaceBetween(const arma::mat& products, size_t first, size_t second) {
  const double apart =
      products(first, first) + products(second, second) - 2 * products(first, second);
  // Where the two are the same, the child takes from neither.
  if (apart <= kUnchanged * kUnchanged) return {.weight = 0.5, .distance = products(first, first)};
  const double weight =
      std::clamp((products(first, first) - products(first, second)) / apart, 0.0, 1.0);
  const double distance = (1 - weight) * (1 - weight) * products(first, first) +
                          2 * weight * (1 - weight) * products(first, second) +
                          weight * weight * products(second, second);
  return {.weight = weight,
          .distance = std::max(0.0, distance),
          .left = std::max(0.0, distance) / apart,
          .apart = true};
}

// The child's and the others' differences from an origin, as products.
struct Increments {
  size_t origin = 0;
  std::vector<size_t> members;

  double Product(const arma::mat& products, size_t i, size_t j) const {
    return products(i, j) - products(i, origin) - products(origin, j) + products(origin, origin);
  }
  // With the child's increment.
  double WithChild(const arma::mat& products, size_t i) const {
    return products(origin, origin) - products(i, origin);
  }
};

struct Fit {
  arma::vec weights;
  arma::vec deviations;  // of a weight, from what the sketches of one matrix make
  double explained = 0;  // share of the child's squared increment
};

std::optional<Fit> FitIncrements(const arma::mat& products, const Increments& increments) {
  const size_t count = increments.members.size();
  arma::mat gram(count, count);
  arma::vec with_child(count);
  for (size_t i = 0; i < count; ++i) {
    with_child(i) = increments.WithChild(products, increments.members[i]);
    for (size_t j = 0; j < count; ++j) {
      gram(i, j) = increments.Product(products, increments.members[i], increments.members[j]);
    }
  }
  const double size = products(increments.origin, increments.origin);
  arma::mat inverse;
  if (size <= 0 || gram.diag().min() <= 0 || !arma::inv_sympd(inverse, gram)) return std::nullopt;
  Fit fit;
  fit.weights = inverse * with_child;
  fit.explained = arma::dot(fit.weights, with_child) / size;
  const double rest = std::max(0.0, 1 - fit.explained) * size;
  fit.deviations = arma::sqrt(inverse.diag() * rest / kSketchFreedom);
  return fit;
}

// Whether every weight is the same in all matrices, but for what the sketches make.
bool HasEvenWeights(const MergeCandidates& candidates, const Increments& increments) {
  const size_t count = increments.members.size();
  arma::vec sums(count, arma::fill::zeros);
  arma::vec squares(count, arma::fill::zeros);
  arma::vec expected(count, arma::fill::zeros);
  for (const arma::mat& products : candidates.by_matrix) {
    const auto fit = FitIncrements(products, increments);
    if (!fit) return false;
    sums += fit->weights;
    squares += arma::square(fit->weights);
    expected += arma::square(fit->deviations);
  }
  const auto matrices = static_cast<double>(candidates.by_matrix.size());
  for (size_t i = 0; i < count; ++i) {
    const double mean = sums(i) / matrices;
    const double variance = squares(i) / matrices - mean * mean - expected(i) / matrices;
    if (std::sqrt(std::max(0.0, variance)) > kEvenWeight * std::abs(mean)) return false;
  }
  return true;
}

bool IsNear(const MergeCandidates& candidates, size_t i) {
  return candidates.products(i, i) <= candidates.matrices;
}

// Candidates that the others may have been trained from, if the child was too: training adds norm.
std::vector<size_t> PossibleOrigins(const MergeCandidates& candidates) {
  std::vector<size_t> origins;
  for (size_t i = 0; i < candidates.index.size(); ++i) {
    if (IsNear(candidates, i) && candidates.squared_norms[i] < candidates.child_squared_norm) {
      origins.push_back(i);
    }
  }
  std::stable_sort(origins.begin(), origins.end(), [&](size_t i, size_t j) {
    return candidates.squared_norms[i] < candidates.squared_norms[j];
  });
  return origins;
}

// What stands in another basis, or is a stranger, is no increment of a near origin, and what has
// less norm than the origin did not come from it.
bool MayBeIncrement(const MergeCandidates& candidates, size_t origin, size_t i) {
  if (origin == candidates.zero()) return true;
  return IsNear(candidates, i) && candidates.squared_norms[i] > candidates.squared_norms[origin];
}

// No two increments are the same one: copies of a damaged origin, siblings trained alike.
bool AreApart(const MergeCandidates& candidates, const Increments& increments) {
  for (const size_t i : increments.members) {
    for (const size_t j : increments.members) {
      if (i >= j) continue;
      const double product = increments.Product(candidates.products, i, j);
      const double sizes = increments.Product(candidates.products, i, i) *
                           increments.Product(candidates.products, j, j);
      if (product * product > kLikeIncrements * kLikeIncrements * sizes) return false;
    }
  }
  return true;
}

// Adds what explains most, as long as it explains something and takes an even weight.
Increments GrowIncrements(const MergeCandidates& candidates, size_t origin) {
  Increments increments{.origin = origin, .members = {}};
  double explained = 0;
  while (increments.members.size() + 1 < kMostParents) {
    std::optional<Increments> best;
    double most = explained + kLeastIncrement;
    for (size_t i = 0; i < candidates.index.size(); ++i) {
      const auto& members = increments.members;
      if (i == origin || std::find(members.begin(), members.end(), i) != members.end()) continue;
      if (!MayBeIncrement(candidates, origin, i)) continue;
      Increments larger = increments;
      larger.members.push_back(i);
      const auto fit = FitIncrements(candidates.products, larger);
      if (!fit || fit->explained < most || !AreApart(candidates, larger)) continue;
      best = std::move(larger);
      most = fit->explained;
    }
    if (!best) break;
    if (best->members.size() > 1 && !HasEvenWeights(candidates, *best)) break;
    increments = std::move(*best);
    explained = most;
  }
  return increments;
}

// One increment is a merge with its origin only where all is explained, by a weight that no
// training step has: taken away, or taken more than once. Whole models must explain all.
bool IsMergeOf(const Fit& fit, bool whole_models) {
  const size_t increments = fit.weights.n_elem;
  if (increments >= 2) {
    return fit.explained >= (whole_models ? kWhollyExplained : kIncrementsExplained) &&
           arma::abs(fit.weights).min() >= kLeastWeight;
  }
  const bool beyond = fit.weights(0) <= -kLeastWeight || fit.weights(0) >= 1 + kLeastWeight;
  return !whole_models && fit.explained >= kWhollyExplained && beyond;
}

std::optional<MergeExplanation> FindIncrementsOver(const MergeCandidates& candidates,
                                                   size_t origin) {
  const Increments increments = GrowIncrements(candidates, origin);
  if (increments.members.empty()) return std::nullopt;
  const auto fit = FitIncrements(candidates.products, increments);
  const bool whole_models = origin == candidates.zero();
  if (!fit || !IsMergeOf(*fit, whole_models) || !HasEvenWeights(candidates, increments)) {
    return std::nullopt;
  }
  MergeExplanation merge{.form = MergeForm::kIncrements,
                         .residual = std::max(0.0, 1 - fit->explained)};
  for (size_t i = 0; i < increments.members.size(); ++i) {
    merge.parents.push_back({.candidate = candidates.index[increments.members[i]],
                             .weight = fit->weights(i),
                             .error = fit->deviations(i) / std::sqrt(candidates.matrices)});
  }
  const double of_origin = 1 - arma::accu(fit->weights);
  if (!whole_models && std::abs(of_origin) >= kIdleParent) {
    merge.parents.push_back({.candidate = candidates.index[origin], .weight = of_origin});
  }
  SortByWeight(merge);
  return merge;
}

}  // namespace

std::optional<MergeExplanation> FindPieces(const Fingerprint& child,
                                           std::span<const Fingerprint* const> candidates) {
  std::vector<const WeightSummary*> open = FilledMatrices(child);
  const auto all = static_cast<double>(open.size());
  if (open.empty()) return std::nullopt;
  std::vector<std::set<WeightDigest>> held;
  for (const Fingerprint* candidate : candidates) held.push_back(HeldDigests(*candidate));
  MergeExplanation merge{.form = MergeForm::kPieces};
  while (!open.empty()) {
    size_t best = 0;
    size_t most = 0;
    for (size_t i = 0; i < held.size(); ++i) {
      const size_t covered = std::count_if(open.begin(), open.end(), [&](const auto* weight) {
        return held[i].contains(weight->digest);
      });
      if (covered > most) {
        most = covered;
        best = i;
      }
    }
    const double share = static_cast<double>(most) / all;
    if (share < kLeastPiece) break;
    merge.parents.push_back({.candidate = best, .weight = share});
    std::erase_if(open, [&](const auto* weight) { return held[best].contains(weight->digest); });
  }
  merge.residual = static_cast<double>(open.size()) / all;
  if (merge.parents.size() < 2 || merge.residual > kMostUnknownPieces) return std::nullopt;
  return merge;
}

std::optional<MergeExplanation> FindMergeByMatrix(const MergeCandidates& candidates) {
  std::optional<MergeExplanation> best;
  const auto matrices = static_cast<double>(candidates.by_matrix.size());
  for (size_t first = 0; first < candidates.index.size(); ++first) {
    for (size_t second = 0; second < first; ++second) {
      size_t fitting = 0;
      size_t of_first = 0;
      size_t of_second = 0;
      double weight = 0;
      double distance = 0;
      for (const arma::mat& products : candidates.by_matrix) {
        const Between between = PlaceBetween(products, first, second);
        if (between.left <= kLeftBetween) ++fitting;
        if (between.apart && between.weight >= kClearWeight) ++of_second;
        if (between.apart && between.weight <= 1 - kClearWeight) ++of_first;
        weight += between.weight / matrices;
        distance += between.distance;
      }
      const auto share = [&](size_t count) { return static_cast<double>(count) / matrices; };
      const double left = distance / std::min(candidates.products(first, first),
                                              candidates.products(second, second));
      if (share(fitting) < 1 - kMostUnknownPieces || left > kLeftBetween) continue;
      if (std::min(share(of_first), share(of_second)) < kMostUnknownPieces) continue;
      if (best && best->residual <= left) continue;
      best =
          MergeExplanation{.parents = {{.candidate = candidates.index[first], .weight = 1 - weight},
                                       {.candidate = candidates.index[second], .weight = weight}},
                           .residual = left};
    }
  }
  if (best) SortByWeight(*best);
  return best;
}

std::optional<MergeExplanation> FindIncrements(const MergeCandidates& candidates) {
  std::optional<MergeExplanation> best;
  double least = 0;
  for (const size_t origin : PossibleOrigins(candidates)) {
    auto merge = FindIncrementsOver(candidates, origin);
    if (!merge) continue;
    const double left = merge->residual * candidates.products(origin, origin);
    if (best && left >= least) continue;
    best = std::move(merge);
    least = left;
  }
  if (best || candidates.index.empty()) return best;
  return FindIncrementsOver(candidates, candidates.zero());
}

}  // namespace tensorguard::internal
