#include "deep_test/unit_similarity.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.h"

namespace tensorguard {
namespace {

constexpr arma::uword kColumnsPerTask = 256;
constexpr arma::uword kTileRows = 512;
constexpr float kRidge = 0.03f;             // docs/deep_test.md#ridge
constexpr float kNegligibleLength = 1e-5f;  // float32 rounding of a difference of equal columns

blasint Count(arma::uword count) { return static_cast<blasint>(count); }

}  // namespace

arma::fmat TransposedProduct(const arma::fmat& left, const arma::fmat& right, unsigned threads) {
  arma::fmat product(left.n_cols, right.n_cols);
  if (product.empty()) return product;
  const size_t tasks = (right.n_cols + kColumnsPerTask - 1) / kColumnsPerTask;
  const auto done = ParallelFor(tasks, threads, [&](size_t task) -> Result<void> {
    const arma::uword first = task * kColumnsPerTask;
    const arma::uword columns = std::min(kColumnsPerTask, right.n_cols - first);
    cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, Count(left.n_cols), Count(columns),
                Count(left.n_rows), 1.0f, left.memptr(), Count(left.n_rows), right.colptr(first),
                Count(right.n_rows), 0.0f, product.colptr(first), Count(product.n_rows));
    return {};
  });
  static_cast<void>(done);  // the work has no errors
  return product;
}

void AddOuterProduct(const arma::fmat& left, const arma::fmat& right, Triangle triangle,
                     arma::fmat* product, unsigned threads) {
  if (product->empty() || left.n_cols == 0) return;
  const size_t down = (left.n_rows + kTileRows - 1) / kTileRows;
  const size_t across = (right.n_rows + kTileRows - 1) / kTileRows;
  const auto done = ParallelFor(down * across, threads, [&](size_t tile) -> Result<void> {
    const arma::uword row = tile % down * kTileRows;
    const arma::uword column = tile / down * kTileRows;
    if (triangle == Triangle::kLower && row < column) return {};
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans,
                Count(std::min(kTileRows, left.n_rows - row)),
                Count(std::min(kTileRows, right.n_rows - column)), Count(left.n_cols), 1.0f,
                left.memptr() + row, Count(left.n_rows), right.memptr() + column,
                Count(right.n_rows), 1.0f, product->colptr(column) + row, Count(product->n_rows));
    return {};
  });
  static_cast<void>(done);  // the work has no errors
}

arma::fmat AtUnitLength(arma::fmat columns) {
  for (arma::uword i = 0; i < columns.n_cols; ++i) {
    float* column = columns.colptr(i);
    const float length = std::sqrt(cblas_sdot(Count(columns.n_rows), column, 1, column, 1));
    const float factor = length <= kNegligibleLength ? 0.0f : 1.0f / length;
    for (arma::uword row = 0; row < columns.n_rows; ++row) column[row] *= factor;
  }
  return columns;
}

arma::fmat RidgeCoefficients(arma::fmat gram, const arma::fmat& cross) {
  const float mean_eigenvalue = arma::trace(gram) / static_cast<float>(gram.n_rows);
  if (!(mean_eigenvalue > 0.0f)) return {};
  gram = arma::symmatl(gram);
  gram.diag() += kRidge * mean_eigenvalue;
  arma::fmat coefficients;
  // A positive definite system; the general solver stands by for one at the edge of float32.
  if (!arma::solve(coefficients, gram, cross, arma::solve_opts::likely_sympd)) return {};
  return coefficients;
}

arma::fmat WithoutPredictable(const arma::fmat& dependent, const arma::fmat& regressor,
                              unsigned threads) {
  const arma::fmat units = regressor.t();
  const arma::fmat coefficients = RidgeCoefficients(
      TransposedProduct(units, units, threads), TransposedProduct(units, dependent.t(), threads));
  if (coefficients.empty()) return dependent;
  return dependent - TransposedProduct(coefficients, regressor, threads);
}

}  // namespace tensorguard
