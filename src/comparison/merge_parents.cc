#include "comparison/merge_parents.h"

#include <algorithm>
#include <armadillo>
#include <cmath>

#include "comparison/non_negative_least_squares.h"
#include "comparison/thresholds.h"
#include "comparison/weight_pairs.h"

namespace tensorguard {
namespace {

// How hard the weights are held to the sum 1, over the largest squared distance.
constexpr double kSumPenalty = 1e4;
// Squared distances below this share of the model's norm are none: sketches are float16.
constexpr double kNoDistance = kUnchanged * kUnchanged;

// Candidate minus child over all learned matrices, each in units of the child's norm; empty if the
// two do not have the same ones.
arma::vec Difference(const FullFingerprint& child, const FullFingerprint& candidate) {
  std::vector<double> values;
  size_t matrices = 0;
  for (const WeightPair& pair : PairWeights(child, candidate, LayersByIndex(child, candidate))) {
    const WeightSummary& own = child.weights[pair.in_a];
    const WeightSummary& other = candidate.weights[pair.in_b];
    if (!IsLearnedMatrix(own) || !IsLearnedMatrix(other) || !SameShape(own, other)) continue;
    if (own.role.expert != other.role.expert) continue;
    ++matrices;
    double squares = 0;
    for (const float value : own.sketch.values()) squares += double{value} * value;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 1;
    const auto own_values = own.sketch.values();
    const auto other_values = other.sketch.values();
    for (size_t i = 0; i < own_values.size(); ++i) {
      values.push_back(scale * (double{other_values[i]} - own_values[i]));
    }
  }
  if (matrices != LearnedMatrices(child) || matrices != LearnedMatrices(candidate)) return {};
  return arma::vec(values);
}

struct Candidates {
  std::vector<size_t> index;  // in the caller's list
  // Products of the differences from the child; the diagonal holds squared distances.
  arma::mat products;
  double matrices = 0;  // the squared norm of the child in these units
};

bool IsNew(const arma::vec& difference, const std::vector<arma::vec>& others, double none) {
  if (arma::dot(difference, difference) <= none) return false;
  return std::none_of(others.begin(), others.end(), [&](const arma::vec& other) {
    const arma::vec apart = difference - other;
    return arma::dot(apart, apart) <= none;
  });
}

Candidates Comparable(const FullFingerprint& child,
                      std::span<const FullFingerprint* const> candidates) {
  Candidates comparable;
  comparable.matrices = static_cast<double>(LearnedMatrices(child));
  std::vector<arma::vec> differences;
  for (size_t i = 0; i < candidates.size(); ++i) {
    arma::vec difference = Difference(child, *candidates[i]);
    if (difference.is_empty()) continue;
    if (!IsNew(difference, differences, kNoDistance * comparable.matrices)) continue;
    differences.push_back(std::move(difference));
    comparable.index.push_back(i);
  }
  comparable.products.set_size(differences.size(), differences.size());
  for (size_t i = 0; i < differences.size(); ++i) {
    for (size_t j = 0; j <= i; ++j) {
      comparable.products(i, j) = comparable.products(j, i) =
          arma::dot(differences[i], differences[j]);
    }
  }
  return comparable;
}

struct Mixture {
  std::vector<size_t> members;  // positions in Candidates
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

}  // namespace

std::optional<MergeExplanation> FindMergeParents(
    const FullFingerprint& child, std::span<const FullFingerprint* const> candidates) {
  const Candidates comparable = Comparable(child, candidates);
  if (comparable.index.size() < 2) return std::nullopt;
  const size_t nearest = comparable.products.diag().index_min();
  const Mixture mixture = GrowMixture(comparable.products, nearest);
  MergeExplanation merge{
      .residual = mixture.squared_distance / comparable.products(nearest, nearest),
      .relative_residual = std::sqrt(mixture.squared_distance / comparable.matrices)};
  if (mixture.members.size() < 2 || merge.residual > 1 - kMergeExplained) return std::nullopt;
  for (size_t i = 0; i < mixture.members.size(); ++i) {
    merge.parents.push_back(
        {.candidate = comparable.index[mixture.members[i]], .weight = mixture.weights(i)});
  }
  std::stable_sort(merge.parents.begin(), merge.parents.end(),
                   [](const MergeParent& x, const MergeParent& y) { return x.weight > y.weight; });
  return merge;
}

}  // namespace tensorguard
