#include "families/merges/change_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// docs/lineage.md#merges. Deviation of a weight over the matrices, beyond the sketches', over it:
// over all parents up to 0.07 in merges, 0.15 and more of models that were trained beside others.
constexpr double kMostUneven = 0.11;
constexpr double kMostUnevenOfOne = 0.15;
// Where what is left over is in every matrix the same part of what the parents give, as it is after
// numbers were dropped, trimmed or elected: a deviation up to 0.08, 0.14 and more after training.
constexpr double kMostUnevenRest = 0.1;
constexpr double kMostUnevenBeforeRest = 0.3;
// A factor of its own in each matrix, as model stock takes, leaves the weights' ratios; siblings
// that learned alike have such ratios, too, but explain less.
constexpr double kLeastExplainedByRatios = 0.75;
// More than once is what no merge takes of a change.
constexpr double kMostWeight = 1.2;
// One in a thousand, among all candidates and parents.
constexpr double kFamilyError = 1e-3;

std::optional<ChangeFit> FitToProducts(const arma::mat& products,
                                       const std::vector<size_t>& members, double numbers) {
  const arma::uvec places = arma::conv_to<arma::uvec>::from(members);
  const arma::mat gram = products.submat(places, places);
  const arma::vec with_child = products.submat(places, arma::uvec{0});
  const double size = products(0, 0);
  arma::mat inverse;
  if (size <= 0 || gram.diag().min() <= 0 || !arma::inv_sympd(inverse, gram)) return std::nullopt;
  ChangeFit fit{.members = members, .weights = inverse * with_child, .errors = {}};
  fit.explained = arma::dot(fit.weights, with_child) / size;
  const double rest = std::max(0.0, 1 - fit.explained) * size;
  fit.errors = arma::sqrt(inverse.diag() * rest / numbers);
  return fit;
}

// Deviation over the matrices, beyond the expected, over the mean: of each weight.
class Evenness {
 public:
  explicit Evenness(size_t count)
      : sums_(count, arma::fill::zeros),
        squares_(count, arma::fill::zeros),
        expected_(count, arma::fill::zeros) {}

  void Add(const arma::vec& values, const arma::vec& errors) {
    sums_ += values;
    squares_ += arma::square(values);
    expected_ += arma::square(errors);
    ++added_;
  }

  // Infinite where a mean is not above 0.
  arma::vec Deviations() const {
    arma::vec deviations(sums_.n_elem);
    for (arma::uword i = 0; i < deviations.n_elem; ++i) {
      const double mean = sums_(i) / added_;
      const double variance = squares_(i) / added_ - mean * mean - expected_(i) / added_;
      deviations(i) = mean > 0 ? std::sqrt(std::max(0.0, variance)) / mean
                               : std::numeric_limits<double>::infinity();
    }
    return deviations;
  }

 private:
  arma::vec sums_;
  arma::vec squares_;
  arma::vec expected_;
  double added_ = 0;
};

bool AreEven(const arma::vec& deviations) {
  return deviations.max() <= kMostUnevenOfOne && arma::mean(deviations) <= kMostUneven;
}

// Of what the fit leaves over, over what its parents give, in each matrix.
double UnevennessOfRest(const ChangeProducts& changes, const ChangeFit& fit) {
  const arma::uvec places = arma::conv_to<arma::uvec>::from(fit.members);
  Evenness rests(1);
  for (const arma::mat& products : changes.by_matrix()) {
    const arma::mat gram = products.submat(places, places);
    const arma::vec with_child = products.submat(places, arma::uvec{0});
    const double given = arma::dot(arma::square(fit.weights), gram.diag());
    const double rest = products(0, 0) - 2 * arma::dot(fit.weights, with_child) +
                        arma::dot(fit.weights, gram * fit.weights);
    if (given <= 0) continue;
    // Both are squared lengths of sketches.
    rests.Add({rest / given}, {rest / given * std::sqrt(4.0 / kSketchFreedom)});
  }
  return rests.Deviations().max();
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

}  // namespace

ChangeProducts::ChangeProducts(std::vector<size_t> models, size_t origin,
                               const std::vector<size_t>& stored, const Kinships& kinships)
    : models_(std::move(models)) {
  const size_t count = models_.size();
  total_.zeros(count, count);
  by_matrix_.assign(stored.empty() ? 0 : stored.back() + 1,
                    arma::mat(count, count, arma::fill::zeros));
  for (size_t i = 0; i < count; ++i) {
    const auto& i_to_origin = kinships.Between(models_[i], origin)->squared_distances;
    for (size_t j = 0; j <= i; ++j) {
      const auto& j_to_origin = kinships.Between(models_[j], origin)->squared_distances;
      for (size_t matrix = 0; matrix < stored.size(); ++matrix) {
        const double between =
            i == j ? 0 : kinships.Between(models_[i], models_[j])->squared_distances[matrix];
        const double product = (i_to_origin[matrix] + j_to_origin[matrix] - between) / 2;
        arma::mat& products = by_matrix_[stored[matrix]];
        products(i, j) += product;
        if (i != j) products(j, i) += product;
      }
    }
  }
  for (const arma::mat& products : by_matrix_) total_ += products;
}

std::vector<size_t> StoredTensorsOf(const Fingerprint& model) {
  std::vector<size_t> stored;
  const std::string* last = nullptr;
  for (const WeightSummary& weight : model.weights) {
    if (!IsLearnedMatrix(weight)) continue;
    const bool same = last != nullptr && *last == weight.tensor;
    stored.push_back(stored.empty() ? 0 : stored.back() + (same ? 0 : 1));
    last = &weight.tensor;
  }
  return stored;
}

double ChangeProducts::Cosine(size_t place, size_t other) const {
  const double sizes = total_(place, place) * total_(other, other);
  return sizes > 0 ? total_(place, other) / std::sqrt(sizes) : 0;
}

std::optional<ChangeFit> FitTo(const ChangeProducts& changes, const std::vector<size_t>& members) {
  return FitToProducts(changes.total(), members,
                       kSketchFreedom * static_cast<double>(changes.by_matrix().size()));
}

bool IsSupported(const ChangeProducts& changes, const ChangeFit& fit) {
  const double deviate = DeviateFor(changes.size() * fit.members.size());
  for (size_t i = 0; i < fit.members.size(); ++i) {
    if (fit.weights(i) < kLeastWeight || fit.weights(i) > kMostWeight) return false;
    if (fit.weights(i) < deviate * fit.errors(i)) return false;
  }
  return true;
}

bool RestIsEven(const ChangeProducts& changes, const ChangeFit& fit) {
  return UnevennessOfRest(changes, fit) <= kMostUnevenRest;
}

namespace {

// In each matrix alone; empty where that cannot be done.
std::optional<std::vector<ChangeFit>> FitsByMatrix(const ChangeProducts& changes,
                                                   const std::vector<size_t>& members) {
  std::vector<ChangeFit> fits;
  for (const arma::mat& products : changes.by_matrix()) {
    auto fit = FitToProducts(products, members, kSketchFreedom);
    if (!fit) return std::nullopt;
    fits.push_back(*std::move(fit));
  }
  return fits;
}

arma::vec UnevennessOfWeights(const std::vector<ChangeFit>& fits) {
  Evenness weights(fits.front().members.size());
  for (const ChangeFit& fit : fits) weights.Add(fit.weights, fit.errors);
  return weights.Deviations();
}

// The same of their shares of their sum.
arma::vec UnevennessOfRatios(const std::vector<ChangeFit>& fits) {
  Evenness ratios(fits.front().members.size());
  for (const ChangeFit& fit : fits) {
    const double sum = arma::accu(fit.weights);
    if (sum > 0) ratios.Add(fit.weights / sum, fit.errors / sum);
  }
  return ratios.Deviations();
}

bool WeightsAreEvenIn(const std::vector<ChangeFit>& fits, double explained) {
  if (AreEven(UnevennessOfWeights(fits))) return true;
  return explained >= kLeastExplainedByRatios && AreEven(UnevennessOfRatios(fits));
}

}  // namespace

bool IsThinned(const ChangeProducts& changes, const ChangeFit& fit) {
  const double uneven = UnevennessOfRest(changes, fit);
  if (uneven <= kMostUnevenRest) return true;
  if (uneven > kMostUnevenDropped) return false;
  const auto fits = FitsByMatrix(changes, fit.members);
  const double other = std::sqrt(std::max(0.0, 1 - fit.explained) / fit.explained);
  return fits && UnevennessOfWeights(*fits).max() <= kEvenerThanTraining * other;
}

bool WeightsAreEven(const ChangeProducts& changes, const ChangeFit& fit) {
  const auto fits = FitsByMatrix(changes, fit.members);
  return fits && WeightsAreEvenIn(*fits, fit.explained);
}

bool IsEven(const ChangeProducts& changes, const ChangeFit& fit) {
  const auto fits = FitsByMatrix(changes, fit.members);
  if (!fits) return false;
  if (WeightsAreEvenIn(*fits, fit.explained)) return true;
  return UnevennessOfWeights(*fits).max() <= kMostUnevenBeforeRest && RestIsEven(changes, fit);
}

}  // namespace tensorguard::internal
