#include "families/baselines/lineage_baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "families/baselines/arborescence.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// MoTHer's c: what a step against the direction costs, of the mean distance.
constexpr double kCostOfWrongDirection = 0.3;
// Models of other shapes or bases are farther than any of one.
constexpr double kOfOtherWeights = 2;

double DistanceOf(const Kinship& kinship) {
  return kinship.distance.value_or(kOfOtherWeights + kinship.answers);
}

// [parents, children] of a family, infinite where nothing was compared.
template <typename Distance>
arma::mat CostsOf(const std::vector<size_t>& family, const Kinships& kinships,
                  const Distance& distance) {
  arma::mat costs(family.size(), family.size(),
                  arma::fill::value(std::numeric_limits<double>::infinity()));
  for (size_t i = 0; i < family.size(); ++i) {
    for (size_t j = 0; j < family.size(); ++j) {
      const Kinship* kinship = i == j ? nullptr : kinships.Between(family[i], family[j]);
      if (kinship != nullptr) costs(i, j) = distance(*kinship);
    }
  }
  return costs;
}

// Mean over the matrices of the range of all but 2% over that of the middle half.
double TailsOf(const Fingerprint& model) {
  constexpr size_t kLow = 1;
  constexpr size_t kQuarter = 3;
  constexpr size_t kThreeQuarters = 5;
  constexpr size_t kHigh = 7;
  static_assert(kSummaryQuantiles[kLow] == 0.01 && kSummaryQuantiles[kQuarter] == 0.25 &&
                kSummaryQuantiles[kThreeQuarters] == 0.75 && kSummaryQuantiles[kHigh] == 0.99);
  double sum = 0;
  double matrices = 0;
  for (const WeightSummary& weight : model.weights) {
    const double middle = weight.quantiles[kThreeQuarters] - weight.quantiles[kQuarter];
    if (!IsLearnedMatrix(weight) || middle <= 0) continue;
    sum += (weight.quantiles[kHigh] - weight.quantiles[kLow]) / middle;
    ++matrices;
  }
  return matrices > 0 ? sum / matrices : 0;
}

arma::mat CostsWithTails(const std::vector<size_t>& family,
                         std::span<const Fingerprint* const> models, const Kinships& kinships) {
  arma::mat costs = CostsOf(family, kinships, DistanceOf);
  const arma::vec finite = costs.elem(arma::find_finite(costs));
  if (finite.empty()) return costs;
  const double wrong = kCostOfWrongDirection * arma::mean(finite);
  std::vector<double> tails;
  for (const size_t model : family) tails.push_back(TailsOf(*models[model]));
  for (size_t parent = 0; parent < family.size(); ++parent) {
    for (size_t child = 0; child < family.size(); ++child) {
      if (tails[parent] > tails[child]) costs(parent, child) += wrong;
    }
  }
  return costs;
}

std::vector<std::optional<size_t>> NearestOf(const arma::mat& costs) {
  std::vector<std::optional<size_t>> parents(costs.n_cols);
  for (size_t child = 0; child < costs.n_cols; ++child) {
    const size_t nearest = costs.col(child).index_min();
    if (std::isfinite(costs(nearest, child))) parents[child] = nearest;
  }
  return parents;
}

}  // namespace

std::vector<BaselineTrees> BaselinesOf(std::span<const Fingerprint* const> models,
                                       const FamilyGraph& graph, const Kinships& kinships) {
  std::map<size_t, std::vector<size_t>> families;
  for (size_t model = 0; model < graph.models; ++model) {
    families[graph.family_of_model[model]].push_back(model);
  }
  std::vector<BaselineTrees> baselines = {{"nearest"}, {"distances"}, {"kurtosis"}};
  for (BaselineTrees& each : baselines) each.parents.resize(graph.models);
  for (const auto& [first, family] : families) {
    const std::vector<std::vector<std::optional<size_t>>> parents = {
        NearestOf(CostsOf(family, kinships, DistanceOf)),
        MinimumArborescence(
            CostsOf(family, kinships, [](const Kinship& kinship) { return 1 - kinship.score; })),
        MinimumArborescence(CostsWithTails(family, models, kinships))};
    for (size_t rule = 0; rule < baselines.size(); ++rule) {
      for (size_t i = 0; i < family.size(); ++i) {
        if (parents[rule][i]) baselines[rule].parents[family[i]] = family[*parents[rule][i]];
      }
    }
  }
  return baselines;
}

}  // namespace tensorguard::internal
