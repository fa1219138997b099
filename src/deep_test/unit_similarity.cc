#include "deep_test/unit_similarity.h"

#include <algorithm>

#include "base/parallel.h"

namespace tensorguard {
namespace {

constexpr arma::uword kColumnsPerTask = 256;
constexpr float kRidge = 0.03f;             // docs/deep_test.md#ridge
constexpr float kNegligibleLength = 1e-5f;  // float32 rounding of a difference of equal columns

}  // namespace

arma::fmat TransposedProduct(const arma::fmat& left, const arma::fmat& right, unsigned threads) {
  arma::fmat product(left.n_cols, right.n_cols);
  if (product.empty()) return product;
  const size_t tasks = (right.n_cols + kColumnsPerTask - 1) / kColumnsPerTask;
  const auto done = ParallelFor(tasks, threads, [&](size_t task) -> Result<void> {
    const arma::uword first = task * kColumnsPerTask;
    const arma::uword last = std::min(first + kColumnsPerTask, right.n_cols) - 1;
    product.cols(first, last) = left.t() * right.cols(first, last);
    return {};
  });
  static_cast<void>(done);  // the work has no errors
  return product;
}

arma::fmat AtUnitLength(arma::fmat columns) {
  const arma::frowvec lengths = arma::sqrt(arma::sum(arma::fmat(arma::square(columns)), 0));
  for (arma::uword i = 0; i < columns.n_cols; ++i) {
    if (lengths[i] <= kNegligibleLength) {
      columns.col(i).zeros();
    } else {
      columns.col(i) /= lengths[i];
    }
  }
  return columns;
}

arma::fmat WithoutPredictable(const arma::fmat& dependent, const arma::fmat& regressor,
                              unsigned threads) {
  const arma::fmat units = regressor.t();
  arma::fmat gram = TransposedProduct(units, units, threads);
  const float mean_eigenvalue = arma::trace(gram) / static_cast<float>(gram.n_rows);
  if (!(mean_eigenvalue > 0.0f)) return dependent;
  gram.diag() += kRidge * mean_eigenvalue;
  const arma::fmat cross = TransposedProduct(units, dependent.t(), threads);
  arma::fmat coefficients;  // rows of the regressor x rows of the dependent
  // A positive definite system; the general solver stands by for one at the edge of float32.
  if (!arma::solve(coefficients, gram, cross, arma::solve_opts::likely_sympd)) return dependent;
  return dependent - TransposedProduct(coefficients, regressor, threads);
}

}  // namespace tensorguard
