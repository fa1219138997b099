// Scalar products of rows of float32 numbers in float64, without a matrix library: Debian's serial
// OpenBLAS shares its work space between threads unguarded, and comparisons run on several.
#ifndef TENSORGUARD_FINGERPRINT_KERNELS_ROW_DOTS_H_
#define TENSORGUARD_FINGERPRINT_KERNELS_ROW_DOTS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// Every row of `a` with every row of `b`: [a.rows(), b.rows()], row-major. Products are exact; the
// order of the sums hangs on the processor, so the last bits do. Thread-safe.
// REQUIRES: equal columns.
std::vector<double> RowDots(const FloatMatrix& a, const FloatMatrix& b);

// Whether two vectors are nearer than `squared_distance`; stops as soon as they are not.
// REQUIRES: equal lengths.
bool NearerThan(std::span<const float> a, std::span<const float> b, double squared_distance);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_KERNELS_ROW_DOTS_H_
