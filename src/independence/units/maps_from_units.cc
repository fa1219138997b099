#include "independence/units/maps_from_units.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "independence/statistics/unit_similarity.h"
#include "numerics/linear_assignment.h"

namespace tensorguard::internal {
namespace {

constexpr int kMostRounds = 8;

// Gate, up, down or up, down.
std::vector<arma::fmat> UnitColumns(const UnitVectors& vectors) {
  std::vector<arma::fmat> columns;
  if (vectors.has_gate()) columns.push_back(vectors.gate);
  columns.push_back(vectors.up);
  columns.push_back(vectors.down);
  return columns;
}

// The ranks of the values, divided by their number; equal values in the order of the units.
arma::frowvec Ranks(const arma::frowvec& values) {
  std::vector<arma::uword> order(values.n_elem);
  std::iota(order.begin(), order.end(), arma::uword{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](arma::uword x, arma::uword y) { return values[x] < values[y]; });
  arma::frowvec ranks(values.n_elem);
  for (arma::uword rank = 0; rank < order.size(); ++rank) {
    ranks[order[rank]] = static_cast<float>(rank) / static_cast<float>(order.size());
  }
  return ranks;
}

// Mean square and mean fourth power of each column.
void AppendMoments(const arma::fmat& squares, std::vector<arma::frowvec>* features) {
  features->push_back(Ranks(arma::mean(squares, 0)));
  features->push_back(Ranks(arma::mean(arma::fmat(arma::square(squares)), 0)));
}

// The largest two squared cosines to another unit.
void AppendNearest(arma::fmat squares, std::vector<arma::frowvec>* features) {
  squares.diag().zeros();
  arma::frowvec nearest(squares.n_cols);
  arma::frowvec second(squares.n_cols);
  for (arma::uword unit = 0; unit < squares.n_cols; ++unit) {
    for (const float value : squares.col(unit)) {
      if (value > nearest[unit]) {
        second[unit] = std::exchange(nearest[unit], value);
      } else if (value > second[unit]) {
        second[unit] = value;
      }
    }
  }
  features->push_back(Ranks(nearest));
  features->push_back(Ranks(second));
}

FloatMatrix SquaredDistances(const arma::fmat& rows, const arma::fmat& columns, unsigned threads) {
  const arma::fmat products = TransposedProduct(columns, rows, threads);
  const arma::frowvec row_size = arma::sum(arma::fmat(arma::square(rows)), 0);
  const arma::frowvec column_size = arma::sum(arma::fmat(arma::square(columns)), 0);
  FloatMatrix distances(rows.n_cols, columns.n_cols);
  for (arma::uword row = 0; row < rows.n_cols; ++row) {
    for (arma::uword column = 0; column < columns.n_cols; ++column) {
      distances.Row(row)[column] =
          row_size[row] + column_size[column] - 2.0f * products(column, row);
    }
  }
  return distances;
}

// Unit i of `few` goes with unit partner[i] of `many`.
using Matching = std::vector<uint32_t>;

AssignmentCosts TableOf(const FloatMatrix& costs) {
  return {.values = costs.values(), .columns = costs.columns()};
}

Matching Assigned(const FloatMatrix& costs) { return AssignColumns(TableOf(costs)); }

// The cross product whose polar factor is the best map. A gated unit's up and down may have changed
// sign together, which only a map tells: they count from the second round on, with the sign of
// their cosines so far.
arma::fmat Cross(const std::vector<arma::fmat>& few, const std::vector<arma::fmat>& many,
                 const Matching& matching, const std::vector<float>& signs, unsigned threads) {
  const bool gated = few.size() == 3;
  arma::uvec partners(matching.size());
  std::copy(matching.begin(), matching.end(), partners.begin());
  arma::fmat cross(few[0].n_rows, many[0].n_rows, arma::fill::zeros);
  for (size_t i = 0; i < few.size(); ++i) {
    const bool may_flip = gated && i > 0;
    if (may_flip && signs.empty()) continue;
    arma::fmat partner_columns = many[i].cols(partners);
    if (may_flip) partner_columns.each_row() %= arma::frowvec(signs);
    cross += TransposedProduct(few[i].t(), partner_columns.t(), threads);
  }
  return cross;
}

// Cosines of all pairs under the map, few x many: the matrices that cannot change sign, and the
// others, which can.
struct Cosines {
  arma::fmat fixed;
  arma::fmat flipping;  // empty without a gate
};

Cosines CosinesUnder(const ResidualMaps& maps, const std::vector<arma::fmat>& few,
                     const std::vector<arma::fmat>& many, unsigned threads) {
  Cosines cosines;
  for (size_t i = 0; i < few.size(); ++i) {
    const arma::fmat few_mapped = AtUnitLength(TransposedProduct(maps.a, few[i], threads));
    const arma::fmat many_mapped = AtUnitLength(TransposedProduct(maps.b, many[i], threads));
    arma::fmat product = TransposedProduct(few_mapped, many_mapped, threads);
    arma::fmat& sum = few.size() == 3 && i > 0 ? cosines.flipping : cosines.fixed;
    if (sum.empty()) {
      sum = std::move(product);
    } else {
      sum += product;
    }
  }
  return cosines;
}

FloatMatrix Costs(const Cosines& cosines) {
  FloatMatrix costs(cosines.fixed.n_rows, cosines.fixed.n_cols);
  for (arma::uword row = 0; row < costs.rows(); ++row) {
    for (arma::uword column = 0; column < costs.columns(); ++column) {
      float cosine = cosines.fixed(row, column);
      if (!cosines.flipping.empty()) cosine += std::abs(cosines.flipping(row, column));
      costs.Row(row)[column] = -cosine;
    }
  }
  return costs;
}

std::vector<float> Signs(const Cosines& cosines, const Matching& matching) {
  std::vector<float> signs(matching.size(), 1.0f);
  if (cosines.flipping.empty()) return signs;
  for (size_t row = 0; row < matching.size(); ++row) {
    if (cosines.flipping(row, matching[row]) < 0.0f) signs[row] = -1.0f;
  }
  return signs;
}

bool AnyZero(const std::vector<arma::fmat>& matrices) {
  return std::any_of(matrices.begin(), matrices.end(),
                     [](const arma::fmat& matrix) { return matrix.is_zero(); });
}

}  // namespace

arma::fmat UnitDescriptors(const UnitVectors& vectors, unsigned threads) {
  const std::vector<arma::fmat> columns = UnitColumns(vectors);
  std::vector<arma::frowvec> features;
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = i; j < columns.size(); ++j) {
      arma::fmat cosines = TransposedProduct(columns[i], columns[j], threads);
      // Without a gate no sign can move, so the cosine keeps its own.
      const arma::frowvec own = cosines.diag().t();
      cosines = arma::square(cosines);
      AppendMoments(cosines, &features);
      if (i == j) {
        AppendNearest(std::move(cosines), &features);
        continue;
      }
      AppendMoments(arma::fmat(cosines.t()), &features);
      features.push_back(Ranks(vectors.has_gate() ? arma::frowvec(arma::abs(own)) : own));
    }
  }
  arma::fmat descriptors(features.size(), columns[0].n_cols);
  for (size_t i = 0; i < features.size(); ++i) descriptors.row(i) = features[i];
  return descriptors;
}

std::optional<UnitFit> FitUnits(const UnitVectors& a, const UnitVectors& b, uint64_t seed,
                                unsigned threads) {
  if (a.up.n_cols > b.up.n_cols) {
    auto fit = FitUnits(b, a, seed, threads);
    if (fit) std::swap(fit->maps.a, fit->maps.b);
    return fit;
  }
  const auto few = UnitColumns(a);
  const auto many = UnitColumns(b);
  if (AnyZero(few) || AnyZero(many)) return {};
  Matching matching =
      Assigned(SquaredDistances(UnitDescriptors(a, threads), UnitDescriptors(b, threads), threads));
  std::vector<float> signs;
  UnitFit fit;
  for (int round = 0; round < kMostRounds; ++round) {
    auto maps = MapsFromCross(Cross(few, many, matching, signs, threads), seed);
    if (!maps) return {};
    fit.maps = *std::move(maps);
    const Cosines cosines = CosinesUnder(fit.maps, few, many, threads);
    const FloatMatrix costs = Costs(cosines);
    Matching next = Assigned(costs);
    fit.cosine =
        -AssignmentCost(TableOf(costs), next) / static_cast<double>(next.size() * few.size());
    const bool stands_still = next == matching && !signs.empty();
    matching = std::move(next);
    signs = Signs(cosines, matching);
    if (stands_still) break;
  }
  return fit;
}

}  // namespace tensorguard::internal
