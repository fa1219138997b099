#include "frame/layer_matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "numerics/linear_assignment.h"

namespace tensorguard::internal {
namespace {

// Magnitudes less their mean over the layers, at norm 1, one after the other for each kind; zero
// where a kind is missing.
std::vector<std::vector<float>> Magnitudes(const std::vector<LayerFeatures>& layers, size_t half) {
  std::vector<std::vector<float>> all(layers.size());
  for (const size_t kind : kKindsOfHalves[half]) {
    size_t size = 0;
    for (const LayerFeatures& layer : layers) size = std::max(size, layer.forms[kind].size());
    std::vector<double> mean(size);
    double having = 0;
    for (const LayerFeatures& layer : layers) {
      if (layer.forms[kind].empty()) continue;
      having += 1;
      for (size_t i = 0; i < size; ++i) mean[i] += std::abs(layer.forms[kind][i]);
    }
    // A single layer has no mean of others: it keeps the mean of its numbers apart.
    if (having == 1)
      mean.assign(size, std::accumulate(mean.begin(), mean.end(), 0.0) / static_cast<double>(size));
    for (size_t k = 0; k < layers.size(); ++k) {
      std::vector<double> values(size);
      double square = 0;
      for (size_t i = 0; i < size && !layers[k].forms[kind].empty(); ++i) {
        values[i] = std::abs(layers[k].forms[kind][i]) - mean[i] / std::max(1.0, having);
        square += values[i] * values[i];
      }
      const double factor = square > 0 ? 1 / std::sqrt(square) : 0;
      for (const double value : values) all[k].push_back(static_cast<float>(value * factor));
    }
  }
  return all;
}

FloatMatrix Totals(const std::vector<LayerFeatures>& a, const std::vector<LayerFeatures>& b,
                   size_t half) {
  const auto left = Magnitudes(a, half);
  const auto right = Magnitudes(b, half);
  FloatMatrix totals(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t size = std::min(left[i].size(), right[j].size());
      float sum = 0;
      for (size_t k = 0; k < size; ++k) sum += left[i][k] * right[j][k];
      totals.Row(i)[j] = sum;
    }
  }
  return totals;
}

LayerMatching ByPlace(const HalfFeatures& a, const HalfFeatures& b) {
  LayerMatching matching;
  for (size_t half = 0; half < kLayerHalves; ++half) {
    if (a[half].size() != b[half].size()) continue;
    for (size_t i = 0; i < a[half].size(); ++i) matching[half].emplace_back(i, i);
  }
  return matching;
}

// Whole layers, where both models have both halves of each.
std::optional<LayerMatching> ByWholeLayers(const HalfFeatures& a, const HalfFeatures& b,
                                           const std::array<FloatMatrix, kLayerHalves>& totals) {
  const auto whole = [](const HalfFeatures& model) {
    return std::ranges::equal(model[0], model[1], {}, &LayerFeatures::layer, &LayerFeatures::layer);
  };
  if (!whole(a) || !whole(b)) return {};
  FloatMatrix sums = totals[0];
  for (size_t i = 0; i < sums.values().size(); ++i) sums.values()[i] += totals[1].values()[i];
  const auto pairs = BestPairs(sums);
  return LayerMatching{pairs, pairs};
}

}  // namespace

std::vector<std::pair<size_t, size_t>> BestPairs(const FloatMatrix& totals) {
  std::vector<std::pair<size_t, size_t>> pairs;
  if (totals.values().empty()) return pairs;
  const bool turned = totals.rows() > totals.columns();
  const size_t rows = std::min(totals.rows(), totals.columns());
  const size_t columns = std::max(totals.rows(), totals.columns());
  std::vector<float> costs;
  costs.reserve(rows * columns);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      costs.push_back(-(turned ? totals.Row(j)[i] : totals.Row(i)[j]));
    }
  }
  const auto column_of_row = AssignColumns({.values = costs, .columns = columns});
  for (size_t i = 0; i < rows; ++i) {
    const size_t j = column_of_row[i];
    pairs.emplace_back(turned ? j : i, turned ? i : j);
  }
  std::ranges::sort(pairs);
  return pairs;
}

double BestTotalExhaustively(const FloatMatrix& totals) {
  const bool turned = totals.rows() > totals.columns();
  const size_t rows = std::min(totals.rows(), totals.columns());
  std::vector<size_t> columns(std::max(totals.rows(), totals.columns()));
  std::iota(columns.begin(), columns.end(), size_t{0});
  double best = -std::numeric_limits<double>::infinity();
  do {
    double total = 0;
    for (size_t i = 0; i < rows; ++i) {
      total += turned ? totals.Row(columns[i])[i] : totals.Row(i)[columns[i]];
    }
    best = std::max(best, total);
  } while (std::ranges::next_permutation(columns).found);
  return best;
}

std::vector<LayerMatching> CandidateMatchings(const HalfFeatures& a, const HalfFeatures& b) {
  std::vector<LayerMatching> matchings;
  const auto add = [&](LayerMatching matching) {
    const bool any = std::ranges::any_of(matching, [](const auto& half) { return !half.empty(); });
    if (any && std::ranges::find(matchings, matching) == matchings.end()) {
      matchings.push_back(std::move(matching));
    }
  };
  add(ByPlace(a, b));
  const std::array<FloatMatrix, kLayerHalves> totals = {Totals(a[0], b[0], 0),
                                                        Totals(a[1], b[1], 1)};
  if (auto whole = ByWholeLayers(a, b, totals)) add(*std::move(whole));
  add({BestPairs(totals[0]), BestPairs(totals[1])});
  return matchings;
}

}  // namespace tensorguard::internal
