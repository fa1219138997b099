#include "comparison/merges/merge_parents.h"

#include <algorithm>
#include <armadillo>
#include <cmath>

#include "comparison/merges/merge_candidates.h"
#include "comparison/merges/merge_kinds.h"
#include "comparison/thresholds.h"
#include "numerics/non_negative_least_squares.h"

namespace tensorguard::internal {
namespace {

// How hard the weights are held to the sum 1, over the largest squared distance.
constexpr double kSumPenalty = 1e4;
struct Mixture {
  std::vector<size_t> members;  // positions in MergeCandidates
  arma::vec weights;
  double squared_distance = 0;
};

// min w' P w with w >= 0 and sum 1.
Mixture FitMixture(const arma::mat& products, std::vector<size_t> members) {
  const arma::uvec chosen = arma::conv_to<arma::uvec>::from(members);
  const arma::mat gram = products.submat(chosen, chosen);
  const double penalty = kSumPenalty * gram.diag().max();
  arma::vec weights =
      SolveNonNegative(gram + penalty, arma::vec(members.size(), arma::fill::value(penalty)));
  weights /= arma::accu(weights);
  const double distance = std::max(0.0, arma::as_scalar(weights.t() * gram * weights));
  return {.members = std::move(members), .weights = weights, .squared_distance = distance};
}

Mixture WithBestAddition(const arma::mat& products, const Mixture& mixture) {
  Mixture best = mixture;
  for (size_t i = 0; i < products.n_rows; ++i) {
    if (std::find(mixture.members.begin(), mixture.members.end(), i) != mixture.members.end()) {
      continue;
    }
    std::vector<size_t> members = mixture.members;
    members.push_back(i);
    Mixture fitted = FitMixture(products, std::move(members));
    if (fitted.squared_distance < best.squared_distance) best = std::move(fitted);
  }
  return best;
}

Mixture WithoutIdle(const arma::mat& products, const Mixture& mixture) {
  std::vector<size_t> members;
  for (size_t i = 0; i < mixture.members.size(); ++i) {
    if (mixture.weights(i) >= kIdleParent) members.push_back(mixture.members[i]);
  }
  return FitMixture(products, std::move(members));
}

// Nearest first, then whatever explains most of what is left.
Mixture GrowMixture(const arma::mat& products, size_t nearest) {
  Mixture mixture = FitMixture(products, {nearest});
  while (mixture.members.size() < kMostParents) {
    Mixture larger = WithBestAddition(products, mixture);
    const double left = (1 - kFurtherParentExplains) * mixture.squared_distance;
    if (larger.members.size() == mixture.members.size() || larger.squared_distance > left) break;
    mixture = WithoutIdle(products, larger);
  }
  return mixture;
}

// Standard errors of weights that sum to one: of all but the first by least squares on what they
// differ by from it, of the first that of their sum. What is left is noise in as many numbers as
// the sketches of the matrices hold.
std::vector<std::optional<double>> ErrorsOf(const arma::mat& products, const Mixture& mixture,
                                            double numbers) {
  std::vector<std::optional<double>> errors(mixture.members.size());
  const size_t free = mixture.members.size() - 1;
  const size_t first = mixture.members.front();
  arma::mat gram(free, free);
  for (size_t i = 0; i < free; ++i) {
    for (size_t j = 0; j < free; ++j) {
      const size_t one = mixture.members[i + 1];
      const size_t other = mixture.members[j + 1];
      gram(i, j) = products(one, other) - products(one, first) - products(first, other) +
                   products(first, first);
    }
  }
  arma::mat inverse;
  if (!arma::inv_sympd(inverse, gram)) return errors;
  const arma::mat covariance = inverse * mixture.squared_distance / numbers;
  errors.front() = std::sqrt(std::max(0.0, arma::accu(covariance)));
  for (size_t i = 0; i < free; ++i) errors[i + 1] = std::sqrt(std::max(0.0, covariance(i, i)));
  return errors;
}

std::optional<MergeExplanation> FindMixture(const MergeCandidates& comparable) {
  const arma::uword last = comparable.index.size() - 1;
  const arma::mat products = comparable.products.submat(0, 0, last, last);
  const size_t nearest = products.diag().index_min();
  const Mixture mixture = GrowMixture(products, nearest);
  MergeExplanation merge{
      .residual = mixture.squared_distance / products(nearest, nearest),
      .relative_residual = std::sqrt(mixture.squared_distance / comparable.matrices)};
  if (mixture.members.size() < 2 || merge.residual > 1 - kMergeExplained) return std::nullopt;
  const auto errors = ErrorsOf(products, mixture, kSketchFreedom * comparable.matrices);
  for (size_t i = 0; i < mixture.members.size(); ++i) {
    merge.parents.push_back({.candidate = comparable.index[mixture.members[i]],
                             .weight = mixture.weights(i),
                             .error = errors[i]});
  }
  std::stable_sort(merge.parents.begin(), merge.parents.end(),
                   [](const MergeParent& x, const MergeParent& y) { return x.weight > y.weight; });
  return merge;
}

}  // namespace

std::optional<MergeExplanation> FindMergeParents(const Fingerprint& child,
                                                 std::span<const Fingerprint* const> candidates) {
  if (auto pieces = FindPieces(child, candidates)) return pieces;
  const MergeCandidates comparable = ComparableCandidates(child, candidates);
  if (comparable.index.size() < 2) return std::nullopt;
  if (auto mixture = FindMixture(comparable)) return mixture;
  if (auto by_matrix = FindMergeByMatrix(comparable)) return by_matrix;
  return FindIncrements(comparable);
}

}  // namespace tensorguard::internal
