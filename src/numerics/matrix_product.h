// Products of matrices by the processor's own instructions (oneDNN), one thread each.
#ifndef TENSORGUARD_NUMERICS_MATRIX_PRODUCT_H_
#define TENSORGUARD_NUMERICS_MATRIX_PRODUCT_H_

#include <cstdint>
#include <span>

#include "base/bfloat16.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// left [rows, inner] times right: [rows, columns].
struct ProductShape {
  uint64_t rows = 0;
  uint64_t columns = 0;
  uint64_t inner = 0;
};

// Which way round the right-hand matrix lies.
enum class RightSide {
  kTransposed,  // [columns, inner]: rows of both sides are multiplied with each other
  kAsIs,        // [inner, columns]
};

// Rows of `product`: from one to the next are `row_stride` numbers.
struct ProductRows {
  float* first = nullptr;
  uint64_t row_stride = 0;
};

// Products of bfloat16 numbers are exact in float32; sums are float32, in an order that follows
// from the shape and the processor. So the same call gives the same bits on one kind of processor,
// from any thread; on another kind a result of `inner` summands differs by at most about
// inner * 2^-24 times the sum of their magnitudes, and by far less as a rule. Numbers and products
// below 2^-126 may count as zero.
// REQUIRES: dimensions below 2^31. Errors: kSystem if the system's library refuses.
Result<void> Multiply(std::span<const float> left, std::span<const float> right, RightSide side,
                      const ProductShape& shape, const ProductRows& product);
Result<void> Multiply(std::span<const BFloat16> left, std::span<const BFloat16> right,
                      RightSide side, const ProductShape& shape, const ProductRows& product);

// Whether the processor multiplies bfloat16 numbers by instructions of its own. Where it does not,
// they are widened to float32 first.
bool MultipliesBFloat16();

// The same in float64 by plain loops: what Multiply is tested against.
void MultiplyPlainly(std::span<const float> left, std::span<const float> right, RightSide side,
                     const ProductShape& shape, const ProductRows& product);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_MATRIX_PRODUCT_H_
