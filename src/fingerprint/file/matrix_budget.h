// A bound on what the index of a fingerprint file makes us allocate.
#ifndef TENSORGUARD_FINGERPRINT_FILE_MATRIX_BUDGET_H_
#define TENSORGUARD_FINGERPRINT_FILE_MATRIX_BUDGET_H_

#include <cstddef>
#include <cstdint>

#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Matrices as large as the file may hold: every number takes a byte of it or more.
class MatrixBudget {
 public:
  explicit MatrixBudget(uint64_t file_bytes) : bytes_left_(file_bytes) {}

  // Empty after the budget is spent. REQUIRES: rows * columns does not overflow.
  FloatMatrix Take(size_t rows, size_t columns) {
    return Spend(rows * columns) ? FloatMatrix(rows, columns) : FloatMatrix();
  }

  // Whether the file has so many bytes left for what is no matrix.
  bool Spend(uint64_t bytes) {
    spent_ = spent_ || bytes > bytes_left_;
    if (!spent_) bytes_left_ -= bytes;
    return !spent_;
  }

  // An error if more was asked for than there was.
  Result<void> Finish() const {
    if (!spent_) return {};
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the index tells of more numbers than the file has bytes"};
  }

 private:
  uint64_t bytes_left_;
  bool spent_ = false;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_MATRIX_BUDGET_H_
