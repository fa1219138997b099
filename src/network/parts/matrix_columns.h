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

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_MATRIX_COLUMNS_H_
