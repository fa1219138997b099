#include "fingerprint/kernels/kernel_algebra.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/try.h"
#include "numerics/matrix_product.h"

namespace tensorguard::internal {

Result<FloatMatrix> RowProducts(const FloatMatrix& left, const FloatMatrix& right) {
  FloatMatrix products(left.rows(), right.rows());
  TG_TRY(Multiply(left.values(), right.values(), RightSide::kTransposed,
                  {.rows = left.rows(), .columns = right.rows(), .inner = left.columns()},
                  {products.values().data(), right.rows()}));
  return products;
}

void DoubleCentre(FloatMatrix& matrix) {
  if (matrix.values().empty()) return;
  std::vector<double> row_means(matrix.rows());
  std::vector<double> column_means(matrix.columns());
  double mean = 0;
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t column = 0; column < matrix.columns(); ++column) {
      const double value = matrix.Row(row)[column];
      row_means[row] += value / static_cast<double>(matrix.columns());
      column_means[column] += value / static_cast<double>(matrix.rows());
    }
    mean += row_means[row] / static_cast<double>(matrix.rows());
  }
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t column = 0; column < matrix.columns(); ++column) {
      float& value = matrix.Row(row)[column];
      value = static_cast<float>(value - row_means[row] - column_means[column] + mean);
    }
  }
}

FloatMatrix FirstRows(const FloatMatrix& matrix, size_t count) {
  FloatMatrix first(count, matrix.columns());
  std::copy_n(matrix.values().begin(), first.values().size(), first.values().begin());
  return first;
}

bool CanBeStored(const FloatMatrix& matrix) {
  return std::all_of(matrix.values().begin(), matrix.values().end(),
                     [](float value) { return std::abs(value) <= kLargestStored; });
}

}  // namespace tensorguard::internal
