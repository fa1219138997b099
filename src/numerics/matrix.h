// A dense table of numbers, one row per model.
#ifndef TENSORGUARD_NUMERICS_MATRIX_H_
#define TENSORGUARD_NUMERICS_MATRIX_H_

#include <cstddef>
#include <span>
#include <vector>

namespace tensorguard::internal {

class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t columns) : columns_(columns), values_(rows * columns), rows_(rows) {}

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  // REQUIRES: row < rows().
  std::span<double> Row(size_t row) { return std::span(values_).subspan(row * columns_, columns_); }
  std::span<const double> Row(size_t row) const {
    return std::span(values_).subspan(row * columns_, columns_);
  }

 private:
  size_t columns_ = 0;
  std::vector<double> values_;
  size_t rows_ = 0;
};

// Euclidean distance. REQUIRES: a.size() == b.size().
double Distance(std::span<const double> a, std::span<const double> b);

// The row of `matrix` nearest to `point`, the first of equally near ones. REQUIRES: a row exists.
size_t NearestRow(const Matrix& matrix, std::span<const double> point);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_MATRIX_H_
