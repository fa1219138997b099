// What kernels are made with: products of rows, and centring.
#ifndef TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_ALGEBRA_H_
#define TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_ALGEBRA_H_

#include <cstddef>

#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// left [n, k] times right [m, k] transposed: [n, m]. REQUIRES: equal columns, below 2^31. Errors:
// those of Multiply.
Result<FloatMatrix> RowProducts(const FloatMatrix& left, const FloatMatrix& right);

// Takes the mean of its row and of its column from every number and adds the mean of all: no row
// and no column has a mean then. What all anchors have in common goes.
void DoubleCentre(FloatMatrix& matrix);

// The first `count` rows. REQUIRES: there are as many.
FloatMatrix FirstRows(const FloatMatrix& matrix, size_t count);

// Above this, float32 is too near its end to scale and square.
inline constexpr float kLargestStored = 1e37f;

// All numbers finite and at most kLargestStored.
bool CanBeStored(const FloatMatrix& matrix);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_ALGEBRA_H_
