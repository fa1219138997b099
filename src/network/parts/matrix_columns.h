// Some columns of a table of numbers as a table of their own.
#ifndef TENSORGUARD_NETWORK_PARTS_MATRIX_COLUMNS_H_
#define TENSORGUARD_NETWORK_PARTS_MATRIX_COLUMNS_H_

#include <algorithm>
#include <cstddef>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// REQUIRES: first + count <= matrix.columns().
inline FloatMatrix Columns(const FloatMatrix& matrix, size_t first, size_t count) {
  FloatMatrix columns(matrix.rows(), count);
  for (size_t row = 0; row < matrix.rows(); ++row) {
    std::ranges::copy(matrix.Row(row).subspan(first, count), columns.Row(row).begin());
  }
  return columns;
}

// REQUIRES: as many rows in both.
inline FloatMatrix SideBySide(const FloatMatrix& left, const FloatMatrix& right) {
  FloatMatrix both(left.rows(), left.columns() + right.columns());
  for (size_t row = 0; row < both.rows(); ++row) {
    const auto to = both.Row(row);
    std::ranges::copy(left.Row(row), to.begin());
    std::ranges::copy(right.Row(row), to.subspan(left.columns()).begin());
  }
  return both;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_MATRIX_COLUMNS_H_
