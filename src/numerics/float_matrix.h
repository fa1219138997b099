// A dense row-major table of float32 numbers; rows are tokens or a weight's outputs.
#ifndef TENSORGUARD_NUMERICS_FLOAT_MATRIX_H_
#define TENSORGUARD_NUMERICS_FLOAT_MATRIX_H_

#include <cstddef>
#include <span>
#include <vector>

namespace tensorguard::internal {

class FloatMatrix {
 public:
  FloatMatrix() = default;
  FloatMatrix(size_t rows, size_t columns)
      : rows_(rows), columns_(columns), values_(rows * columns) {}

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  // REQUIRES: row < rows().
  std::span<float> Row(size_t row) { return std::span(values_).subspan(row * columns_, columns_); }
  std::span<const float> Row(size_t row) const {
    return std::span(values_).subspan(row * columns_, columns_);
  }

  std::span<float> values() { return values_; }
  std::span<const float> values() const { return values_; }

 private:
  size_t rows_ = 0;
  size_t columns_ = 0;
  std::vector<float> values_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_FLOAT_MATRIX_H_
