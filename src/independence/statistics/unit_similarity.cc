#include "independence/statistics/unit_similarity.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "base/parallel.h"
#include "numerics/matrix_product.h"

namespace tensorguard::internal {
namespace {

constexpr arma::uword kColumnsPerTask = 256;
constexpr float kRidge = 0.03f;             // docs/independence.md#ridge
constexpr float kNegligibleLength = 1e-5f;  // float32 rounding of a difference of equal columns

blasint Count(arma::uword count) { return static_cast<blasint>(count); }

// Columns [first_left, end) of `left` transposed times columns [first_right, + columns) of `right`,
// to `out`, column after column.
void MultiplyTile(const arma::fmat& left, arma::uword first_left, const arma::fmat& right,
                  arma::uword first_right, arma::uword columns, float* out) {
  const arma::uword inner = left.n_rows;
  const arma::uword rows = left.n_cols - first_left;
  const auto done = Multiply(
      std::span(right.colptr(first_right), columns * inner),
      std::span(left.colptr(first_left), rows * inner), RightSide::kTransposed,
      {.rows = columns, .columns = rows, .inner = inner}, {.first = out, .row_stride = rows});
  if (done) return;
  // What oneDNN refuses, the other library multiplies: float32 sums in another order.
  cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, Count(rows), Count(columns), Count(inner),
              1.0f, left.colptr(first_left), Count(inner), right.colptr(first_right), Count(inner),
              0.0f, out, Count(rows));
}

// use(first, columns) for pieces of `all` columns, cut by their number alone.
void ForEachTask(arma::uword all, unsigned threads,
                 const std::function<void(arma::uword, arma::uword)>& use) {
  const size_t tasks = (all + kColumnsPerTask - 1) / kColumnsPerTask;
  const auto done = ParallelFor(tasks, threads, [&](size_t task) -> Result<void> {
    const arma::uword first = task * kColumnsPerTask;
    use(first, std::min(kColumnsPerTask, all - first));
    return {};
  });
  static_cast<void>(done);  // the work has no errors
}

// (gram + shift I)^-1 right, of which `gram` has its lower triangle; empty where that has no
// solution. By Cholesky's factor, and columns on several threads.
arma::fmat SolveShifted(arma::fmat gram, float shift, const arma::fmat& right, unsigned threads) {
  gram = arma::symmatl(gram);
  gram.diag() += shift;
  arma::fmat factor;
  arma::fmat solution = right;
  if (!arma::chol(factor, gram, "lower")) {
    // The general solver stands by for a system at the edge of float32.
    return arma::solve(solution, gram, right) ? solution : arma::fmat();
  }
  const blasint size = Count(factor.n_rows);
  ForEachTask(solution.n_cols, threads, [&](arma::uword first, arma::uword columns) {
    for (const CBLAS_TRANSPOSE turned : {CblasNoTrans, CblasTrans}) {
      cblas_strsm(CblasColMajor, CblasLeft, CblasLower, turned, CblasNonUnit, size, Count(columns),
                  1.0f, factor.memptr(), size, solution.colptr(first), size);
    }
  });
  return solution;
}

// WithoutPredictable by the products of units with each other, where those are fewer than the
// regressor's rows: with K = X^T X what is left of D is p D (K + p I)^-1.
arma::fmat WithoutPredictableByUnits(const arma::fmat& dependent, const arma::fmat& regressor,
                                     unsigned threads) {
  arma::fmat products(regressor.n_cols, regressor.n_cols, arma::fill::zeros);
  AddTransposedProduct(regressor, regressor, Triangle::kLower, &products, threads);
  const float penalty = kRidge * arma::trace(products) / static_cast<float>(regressor.n_rows);
  if (!(penalty > 0.0f)) return dependent;
  const arma::fmat solution = SolveShifted(std::move(products), penalty, dependent.t(), threads);
  return solution.empty() ? dependent : arma::fmat(penalty * solution.t());
}

}  // namespace

arma::fmat TransposedProduct(const arma::fmat& left, const arma::fmat& right, unsigned threads) {
  arma::fmat product(left.n_cols, right.n_cols);
  if (product.empty()) return product;
  ForEachTask(right.n_cols, threads, [&](arma::uword first, arma::uword columns) {
    MultiplyTile(left, 0, right, first, columns, product.colptr(first));
  });
  return product;
}

void AddTransposedProduct(const arma::fmat& left, const arma::fmat& right, Triangle triangle,
                          arma::fmat* product, unsigned threads) {
  if (product->empty() || left.n_rows == 0) return;
  ForEachTask(right.n_cols, threads, [&](arma::uword first, arma::uword columns) {
    const arma::uword above = triangle == Triangle::kLower ? first : 0;
    arma::fmat tile(left.n_cols - above, columns);
    MultiplyTile(left, above, right, first, columns, tile.memptr());
    for (arma::uword column = 0; column < columns; ++column) {
      const float* from = tile.colptr(column);
      float* to = product->colptr(first + column) + above;
      for (arma::uword row = 0; row < tile.n_rows; ++row) to[row] += from[row];
    }
  });
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

arma::fmat RidgeCoefficients(arma::fmat gram, const arma::fmat& cross, unsigned threads) {
  const float mean_eigenvalue = arma::trace(gram) / static_cast<float>(gram.n_rows);
  if (!(mean_eigenvalue > 0.0f)) return {};
  return SolveShifted(std::move(gram), kRidge * mean_eigenvalue, cross, threads);
}

arma::fmat WithoutPredictable(const arma::fmat& dependent, const arma::fmat& regressor,
                              unsigned threads) {
  if (regressor.n_cols < regressor.n_rows) {
    return WithoutPredictableByUnits(dependent, regressor, threads);
  }
  const arma::fmat units = regressor.t();
  const arma::fmat coefficients =
      RidgeCoefficients(TransposedProduct(units, units, threads),
                        TransposedProduct(units, dependent.t(), threads), threads);
  if (coefficients.empty()) return dependent;
  return dependent - TransposedProduct(coefficients, regressor, threads);
}

}  // namespace tensorguard::internal
