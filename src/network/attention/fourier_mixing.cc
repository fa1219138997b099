#include "network/attention/fourier_mixing.h"

#include <cmath>
#include <numbers>
#include <vector>

namespace tensorguard::internal {
namespace {

// cos and sin of 2 pi k / n for every k below n.
struct Circle {
  std::vector<double> cosines;
  std::vector<double> sines;

  explicit Circle(size_t n) : cosines(n), sines(n) {
    for (size_t k = 0; k < n; ++k) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
      cosines[k] = std::cos(angle);
      sines[k] = std::sin(angle);
    }
  }
};

}  // namespace

FloatMatrix MixByFourier(const FloatMatrix& rows) {
  const size_t tokens = rows.rows();
  const size_t columns = rows.columns();
  const Circle over_columns(columns);
  const Circle over_tokens(tokens);
  std::vector<double> real(tokens * columns, 0);
  std::vector<double> imaginary(tokens * columns, 0);
  for (size_t token = 0; token < tokens; ++token) {
    for (size_t out = 0; out < columns; ++out) {
      for (size_t in = 0; in < columns; ++in) {
        const size_t angle = out * in % columns;
        real[token * columns + out] += rows.Row(token)[in] * over_columns.cosines[angle];
        imaginary[token * columns + out] -= rows.Row(token)[in] * over_columns.sines[angle];
      }
    }
  }
  FloatMatrix mixed(tokens, columns);
  for (size_t out = 0; out < tokens; ++out) {
    for (size_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (size_t in = 0; in < tokens; ++in) {
        const size_t angle = out * in % tokens;
        sum += real[in * columns + column] * over_tokens.cosines[angle] +
               imaginary[in * columns + column] * over_tokens.sines[angle];
      }
      mixed.Row(out)[column] = static_cast<float>(sum);
    }
  }
  return mixed;
}

}  // namespace tensorguard::internal
