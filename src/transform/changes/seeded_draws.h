// Reproducible random numbers, vectors and matrices.
#ifndef TENSORGUARD_TRANSFORM_CHANGES_SEEDED_DRAWS_H_
#define TENSORGUARD_TRANSFORM_CHANGES_SEEDED_DRAWS_H_

#include <armadillo>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random_bits.h"

namespace tensorguard::internal {

// One sequence of draws, fixed by the key. Not for several threads.
class SeededDraws {
 public:
  explicit SeededDraws(uint64_t key) : key_(MixedBits(key)) {}

  uint64_t Bits() { return RandomBits(key_, next_++); }
  // REQUIRES: count > 0.
  uint64_t Below(uint64_t count) { return Bits() % count; }
  // In (0, 1).
  double Uniform() { return (static_cast<double>(Bits() >> 11) + 0.5) / 9007199254740992.0; }
  // Of variance 1, by Box and Muller.
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }
  double Sign() { return Bits() >> 63 == 0 ? 1 : -1; }

  // 0 .. count - 1 in a random order.
  arma::uvec Order(uint64_t count) {
    arma::uvec order(count);
    std::iota(order.begin(), order.end(), arma::uword{0});
    for (uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[Below(i)]);
    return order;
  }

  // `chosen` of 0 .. count - 1, ascending. REQUIRES: chosen <= count.
  arma::uvec Choice(uint64_t chosen, uint64_t count) {
    return arma::sort(Order(count).head(chosen));
  }

  arma::fmat Normals(uint64_t rows, uint64_t columns, double deviation = 1) {
    arma::fmat matrix(rows, columns);
    for (float& value : matrix) value = static_cast<float>(deviation * Normal());
    return matrix;
  }

  // An orthogonal matrix, uniform (signs by the triangle's diagonal; Mezzadri 2007).
  arma::fmat Rotation(uint64_t size) {
    arma::fmat orthogonal;
    arma::fmat triangle;
    arma::qr(orthogonal, triangle, Normals(size, size));
    for (arma::uword i = 0; i < size; ++i) {
      if (triangle(i, i) < 0) orthogonal.col(i) *= -1;
    }
    return orthogonal;
  }

 private:
  uint64_t key_;
  uint64_t next_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_CHANGES_SEEDED_DRAWS_H_
