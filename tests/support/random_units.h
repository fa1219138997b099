// Hidden units made by a test, and what can be done to them without changing what they compute.
#ifndef TENSORGUARD_TESTS_SUPPORT_RANDOM_UNITS_H_
#define TENSORGUARD_TESTS_SUPPORT_RANDOM_UNITS_H_

#include <cmath>
#include <random>
#include <utility>

#include "base/random_bits.h"
#include "base/seeded_order.h"
#include "independence/units/feed_forward_units.h"

namespace tensorguard::internal {

inline arma::fmat NormalMatrix(arma::uword rows, arma::uword columns, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  arma::fmat matrix(rows, columns);
  for (float& value : matrix) value = normal(generator);
  return matrix;
}

// Independent normal numbers with a common mean column, as trained weights have, which is taken out
// again.
inline UnitVectors RandomUnits(arma::uword hidden, arma::uword units, bool gated, uint64_t seed) {
  const auto matrix = [&](uint64_t part) -> arma::fmat {
    arma::fmat columns = NormalMatrix(hidden, units, RandomBits(seed, part));
    columns.each_col() += 0.3f * arma::fvec(NormalMatrix(hidden, 1, RandomBits(7, part)));
    return arma::normalise(columns);
  };
  UnitVectors vectors{.gate = {}, .up = matrix(1), .down = matrix(2)};
  if (gated) vectors.gate = matrix(0);
  return WithoutMeanUnit(std::move(vectors));
}

inline arma::fmat RandomRotation(arma::uword width, uint64_t seed) {
  arma::fmat orthogonal;
  arma::fmat triangle;
  arma::qr(orthogonal, triangle, NormalMatrix(width, width, seed));
  return orthogonal;
}

inline UnitVectors Rotated(const UnitVectors& vectors, const arma::fmat& rotation) {
  UnitVectors rotated{.gate = {}, .up = rotation * vectors.up, .down = rotation * vectors.down};
  if (vectors.has_gate()) rotated.gate = rotation * vectors.gate;
  return rotated;
}

// Units chosen by `units`, in that order.
inline UnitVectors Chosen(const UnitVectors& vectors, const arma::uvec& units) {
  UnitVectors chosen{.gate = {}, .up = vectors.up.cols(units), .down = vectors.down.cols(units)};
  if (vectors.has_gate()) chosen.gate = vectors.gate.cols(units);
  return chosen;
}

inline arma::uvec ShuffledUnits(uint32_t units, uint64_t seed) {
  arma::uvec order(units);
  const auto shuffled = SeededOrder(units, seed);
  for (uint32_t i = 0; i < units; ++i) order[i] = shuffled[i];
  return order;
}

// Every second unit's up and down change sign, which a gated unit does not notice.
inline UnitVectors WithMovedSigns(UnitVectors vectors) {
  for (arma::uword unit = 0; unit < vectors.up.n_cols; unit += 2) {
    vectors.up.col(unit) *= -1.0f;
    vectors.down.col(unit) *= -1.0f;
  }
  return vectors;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_RANDOM_UNITS_H_
