#include "families/lineage/change_regression.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <vector>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// docs/lineage.md#merges. Deviation of a weight over the matrices, beyond the sketches', over it:
// over all parents up to 0.07 in merges, 0.15 and more of models that were trained beside others.
constexpr double kMostUneven = 0.11;
constexpr double kMostUnevenOfOne = 0.15;
// More than once is what no merge takes of a change.
constexpr double kMostWeight = 1.2;
// One in a thousand, among all candidates and parents.
constexpr double kFamilyError = 1e-3;

// The child is the first of `models`.
class Changes {
 public:
  Changes(std::vector<size_t> models, size_t origin, const Kinships& kinships)
      : models_(std::move(models)) {
    const auto& first = kinships.Between(models_.front(), origin)->squared_distances;
    const size_t count = models_.size();
    total_.zeros(count, count);
    for (size_t matrix = 0; matrix < first.size(); ++matrix) {
      arma::mat products(count, count);
      for (size_t i = 0; i < count; ++i) {
        for (size_t j = 0; j <= i; ++j) {
          const double between =
              i == j ? 0 : kinships.Between(models_[i], models_[j])->squared_distances[matrix];
          const double product =
              (kinships.Between(models_[i], origin)->squared_distances[matrix] +
               kinships.Between(models_[j], origin)->squared_distances[matrix] - between) /
              2;
          products(i, j) = products(j, i) = product;
        }
      }
      total_ += products;
      by_matrix_.push_back(std::move(products));
    }
  }

  const arma::mat& total() const { return total_; }
  const std::vector<arma::mat>& by_matrix() const { return by_matrix_; }
  size_t size() const { return models_.size(); }
  size_t model(size_t place) const { return models_[place]; }

 private:
  std::vector<size_t> models_;
  arma::mat total_ = {};
  std::vector<arma::mat> by_matrix_ = {};
};

struct Fit {
  std::vector<size_t> members;  // places in Changes
  arma::vec weights;
  arma::vec errors;
  double explained = 0;  // share of the child's squared change
};

std::optional<Fit> FitTo(const arma::mat& products, const std::vector<size_t>& members,
                         double numbers) {
  const arma::uvec places = arma::conv_to<arma::uvec>::from(members);
  const arma::mat gram = products.submat(places, places);
  const arma::vec with_child = products.submat(places, arma::uvec{0});
  const double size = products(0, 0);
  arma::mat inverse;
  if (size <= 0 || gram.diag().min() <= 0 || !arma::inv_sympd(inverse, gram)) return std::nullopt;
  Fit fit{.members = members, .weights = inverse * with_child, .errors = {}};
  fit.explained = arma::dot(fit.weights, with_child) / size;
  const double rest = std::max(0.0, 1 - fit.explained) * size;
  fit.errors = arma::sqrt(inverse.diag() * rest / numbers);
  return fit;
}

bool IsEven(const Changes& changes, const std::vector<size_t>& members) {
  const size_t count = members.size();
  arma::vec sums(count, arma::fill::zeros);
  arma::vec squares(count, arma::fill::zeros);
  arma::vec expected(count, arma::fill::zeros);
  for (const arma::mat& products : changes.by_matrix()) {
    const auto fit = FitTo(products, members, kSketchFreedom);
    if (!fit) return false;
    sums += fit->weights;
    squares += arma::square(fit->weights);
    expected += arma::square(fit->errors);
  }
  const auto matrices = static_cast<double>(changes.by_matrix().size());
  double uneven = 0;
  for (size_t i = 0; i < count; ++i) {
    const double mean = sums(i) / matrices;
    const double variance = squares(i) / matrices - mean * mean - expected(i) / matrices;
    const double own = std::sqrt(std::max(0.0, variance)) / mean;
    if (mean <= 0 || own > kMostUnevenOfOne) return false;
    uneven += own / static_cast<double>(count);
  }
  return uneven <= kMostUneven;
}

// Normal deviate that one of so many tests exceeds with kFamilyError, by bisection.
double DeviateFor(size_t tests) {
  const double share = kFamilyError / static_cast<double>(std::max<size_t>(1, tests));
  double low = 0;
  double high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) > share ? low : high) = middle;
  }
  return high;
}

bool IsSupported(const Changes& changes, const Fit& fit) {
  const double deviate = DeviateFor(changes.size() * fit.members.size());
  for (size_t i = 0; i < fit.members.size(); ++i) {
    if (fit.weights(i) < kLeastWeight || fit.weights(i) > kMostWeight) return false;
    if (fit.weights(i) < deviate * fit.errors(i)) return false;
  }
  return IsEven(changes, fit.members);
}

// Adds what explains most of what is left, while it does.
Fit Grow(const Changes& changes, Fit fit, const std::vector<size_t>& candidates) {
  const double numbers = kSketchFreedom * static_cast<double>(changes.by_matrix().size());
  while (fit.members.size() < kMostParents) {
    std::optional<Fit> best;
    for (const size_t candidate : candidates) {
      if (std::find(fit.members.begin(), fit.members.end(), candidate) != fit.members.end()) {
        continue;
      }
      std::vector<size_t> members = fit.members;
      members.push_back(candidate);
      auto larger = FitTo(changes.total(), members, numbers);
      if (!larger || larger->explained < fit.explained + kLeastIncrement) continue;
      if (best && larger->explained <= best->explained) continue;
      if (!IsSupported(changes, *larger)) continue;
      best = std::move(larger);
    }
    if (!best) break;
    fit = std::move(*best);
  }
  return fit;
}

}  // namespace

std::optional<MergeExplanation> FindMergeByChanges(size_t child, size_t origin,
                                                   std::span<const size_t> candidates,
                                                   std::span<const size_t> descendants,
                                                   const Kinships& kinships) {
  std::vector<size_t> models = {child};
  models.insert(models.end(), candidates.begin(), candidates.end());
  const Changes changes(models, origin, kinships);
  std::vector<size_t> all;
  std::vector<size_t> others;
  for (size_t place = 1; place < models.size(); ++place) {
    all.push_back(place);
    const bool below =
        std::find(descendants.begin(), descendants.end(), models[place]) != descendants.end();
    if (!below) others.push_back(place);
  }
  Fit fit = Grow(changes, {}, others);
  const bool without_descendants = fit.members.size() >= 2;
  fit = Grow(changes, without_descendants ? std::move(fit) : Fit{}, all);
  if (fit.members.size() < 2) return std::nullopt;
  if (!without_descendants && fit.explained < kWhollyExplained) return std::nullopt;
  MergeExplanation merge{.form = MergeForm::kIncrements,
                         .residual = std::max(0.0, 1 - fit.explained)};
  for (size_t i = 0; i < fit.members.size(); ++i) {
    merge.parents.push_back({.candidate = changes.model(fit.members[i]),
                             .weight = fit.weights(i),
                             .error = fit.errors(i)});
  }
  std::stable_sort(merge.parents.begin(), merge.parents.end(),
                   [](const MergeParent& x, const MergeParent& y) { return x.weight > y.weight; });
  return merge;
}

}  // namespace tensorguard::internal
