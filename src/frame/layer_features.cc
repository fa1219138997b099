#include "frame/layer_features.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <utility>

#include "base/parallel.h"

namespace tensorguard::internal {
namespace {

constexpr double kCopiedCosine = 0.95;
// Of n other layers, (n - 1) / 2 components are taken out, no more than this.
constexpr size_t kMostComponents = 4;
// Layers are freed together in as many groups at most.
constexpr arma::uword kGroups = 8;
// What is left of a form of norm 1 that is shorter than this is rounding.
constexpr double kLeastRest = 0.02;

// The leading [axes, axes] part at norm 1; zero where that is empty.
arma::vec Restricted(const FloatMatrix& form, size_t axes) {
  arma::vec values(axes * axes, arma::fill::zeros);
  for (size_t row = 0; row < axes; ++row) {
    for (size_t column = 0; column < axes; ++column) {
      values[row * axes + column] = form.Row(row)[column];
    }
  }
  const double norm = arma::norm(values);
  if (norm > 0) values /= norm;
  return values;
}

// An orthonormal basis of the mean and the leading components of the columns.
arma::mat CommonDirections(const arma::mat& columns) {
  const arma::vec mean = arma::mean(columns, 1);
  arma::mat directions = mean;
  const size_t components =
      std::min<size_t>(kMostComponents, columns.n_cols > 1 ? (columns.n_cols - 1) / 2 : 0);
  if (components > 0) {
    const arma::mat differences = columns.each_col() - mean;
    arma::vec shares;
    arma::mat turns;
    if (arma::eig_sym(shares, turns, arma::mat(differences.t() * differences), "std")) {
      directions = arma::join_rows(
          directions, differences * arma::mat(arma::fliplr(turns)).cols(0, components - 1));
    }
  }
  arma::mat basis(columns.n_rows, 0);
  for (arma::uword i = 0; i < directions.n_cols; ++i) {
    arma::vec direction = directions.col(i);
    const double before = arma::norm(direction);
    for (int pass = 0; pass < 2; ++pass) direction -= basis * (basis.t() * direction);
    const double norm = arma::norm(direction);
    if (norm > 1e-6 * before && norm > 1e-6) basis = arma::join_rows(basis, direction / norm);
  }
  return basis;
}

// The columns that are neither among `own` nor copies of one of them.
arma::uvec Others(const arma::mat& cosines, const std::vector<arma::uword>& own) {
  std::vector<arma::uword> others;
  for (arma::uword i = 0; i < cosines.n_cols; ++i) {
    const bool copied =
        std::ranges::any_of(own, [&](arma::uword j) { return cosines(i, j) > kCopiedCosine; });
    if (!copied) others.push_back(i);
  }
  return others;
}

FormFeature AtUnitNorm(const arma::vec& rest) {
  const double norm = arma::norm(rest);
  if (!(norm > kLeastRest)) return {};
  FormFeature feature(rest.n_elem);
  for (size_t i = 0; i < feature.size(); ++i) feature[i] = static_cast<float>(rest[i] / norm);
  return feature;
}

// Each column freed of what the others have in common. Columns are taken out of the others group by
// group: one by one would cost the square of their number.
std::vector<FormFeature> Freed(const arma::mat& columns, bool is_moment) {
  const arma::mat cosines = columns.t() * columns;
  const arma::uword groups = std::min<arma::uword>(kGroups, columns.n_cols);
  std::vector<FormFeature> features(columns.n_cols);
  for (arma::uword group = 0; group < groups; ++group) {
    std::vector<arma::uword> own;
    for (arma::uword i = group; i < columns.n_cols; i += groups) own.push_back(i);
    const arma::uvec others = Others(cosines, own);
    // A second moment is alike in all models until others of its kind are taken out.
    if (others.is_empty() && is_moment) continue;
    arma::mat rest = columns.cols(arma::uvec(own));
    if (!others.is_empty()) {
      const arma::mat basis = CommonDirections(columns.cols(others));
      rest -= basis * (basis.t() * rest);
    }
    for (size_t i = 0; i < own.size(); ++i) features[own[i]] = AtUnitNorm(rest.col(i));
  }
  return features;
}

}  // namespace

std::array<std::vector<LayerFeatures>, kLayerHalves> FeaturesOf(const FrameForms& forms,
                                                                size_t axes) {
  UseOneLibraryThread();
  std::vector<LayerFeatures> layers(forms.layers.size());
  for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
    const bool is_moment = kFormKinds[kind] == FormKind::kGates;
    std::vector<size_t> having;
    for (size_t i = 0; i < layers.size(); ++i) {
      layers[i].layer = i;
      const FloatMatrix& form = forms.layers[i].forms[kind];
      if (form.rows() >= axes && form.columns() >= axes) having.push_back(i);
    }
    arma::mat columns(axes * axes, having.size());
    for (size_t i = 0; i < having.size(); ++i) {
      columns.col(i) = Restricted(forms.layers[having[i]].forms[kind], axes);
    }
    auto freed = Freed(columns, is_moment);
    for (size_t i = 0; i < having.size(); ++i) layers[having[i]].forms[kind] = std::move(freed[i]);
  }
  std::array<std::vector<LayerFeatures>, kLayerHalves> halves;
  for (size_t half = 0; half < kLayerHalves; ++half) {
    for (const LayerFeatures& layer : layers) {
      const bool any = std::ranges::any_of(kKindsOfHalves[half],
                                           [&](size_t kind) { return !layer.forms[kind].empty(); });
      if (any) halves[half].push_back(layer);
    }
  }
  return halves;
}

}  // namespace tensorguard::internal
