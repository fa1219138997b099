#include "frame/layer_features.h"

#include <algorithm>
#include <armadillo>
#include <cmath>

#include "base/parallel.h"

namespace tensorguard {
namespace {

constexpr double kCopiedCosine = 0.95;
// Of n other layers, (n - 1) / 2 components are taken out, no more than this.
constexpr size_t kMostComponents = 4;
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

// An orthonormal basis of the mean and the leading components of the columns, by the Gram of their
// differences from the mean.
arma::mat CommonDirections(const arma::mat& columns) {
  const arma::vec mean = arma::mean(columns, 1);
  arma::mat directions = mean;
  const size_t components =
      std::min<size_t>(kMostComponents, columns.n_cols > 1 ? (columns.n_cols - 1) / 2 : 0);
  if (components > 0) {
    const arma::mat differences = columns.each_col() - mean;
    arma::vec shares;
    arma::mat turns;
    if (arma::eig_sym(shares, turns, arma::mat(differences.t() * differences))) {
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

FormFeature Freed(const arma::mat& columns, arma::uword own, bool is_moment) {
  arma::vec rest = columns.col(own);
  std::vector<arma::uword> others;
  for (arma::uword i = 0; i < columns.n_cols; ++i) {
    if (i != own && arma::dot(columns.col(i), rest) < kCopiedCosine) others.push_back(i);
  }
  if (others.empty()) {
    // A second moment is alike in all models until others of its kind are taken out.
    if (is_moment) return {};
  } else {
    const arma::mat basis = CommonDirections(columns.cols(arma::uvec(others)));
    rest -= basis * (basis.t() * rest);
  }
  const double norm = arma::norm(rest);
  if (!(norm > kLeastRest)) return {};
  FormFeature feature(rest.n_elem);
  for (size_t i = 0; i < feature.size(); ++i) feature[i] = static_cast<float>(rest[i] / norm);
  return feature;
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
    for (size_t i = 0; i < having.size(); ++i)
      layers[having[i]].forms[kind] = Freed(columns, i, is_moment);
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

}  // namespace tensorguard
