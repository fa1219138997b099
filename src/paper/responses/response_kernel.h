// Rows times a few inputs: the only hot loop of the paper profile.
#ifndef TENSORGUARD_PAPER_RESPONSES_RESPONSE_KERNEL_H_
#define TENSORGUARD_PAPER_RESPONSES_RESPONSE_KERNEL_H_

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/bfloat16.h"
#include "paper/inputs/perturbation.h"

namespace tensorguard::internal {

// One number per input, in the order of the inputs.
using Responses = std::array<double, kNoiseCount>;

// Up to five input vectors of one width, laid out for the kernel. Either one or all five are
// multiplied; between that, missing inputs are zero vectors.
class InputBlock {
 public:
  // REQUIRES: at most kNoiseCount vectors, each of `width` elements.
  InputBlock(size_t width, std::span<const std::vector<float>> inputs);

  size_t width() const { return width_; }
  size_t count() const { return count_; }
  // Element `column` of input 0; input k lies k * stride() further.
  const float* at(size_t column) const { return values_.data() + column; }
  size_t stride() const { return stride_; }

 private:
  size_t width_;
  size_t count_;
  size_t stride_;  // width rounded up to whole kernel steps; the padding is zero
  std::vector<float> values_;
};

// The numbers of a row are float32, or bfloat16 as they are stored: Number is float or BFloat16,
// and either gives the same bits for the same numbers.

// responses[r][k] += sum over c of rows[r * columns + c] * input k at (first_column + c).
// Products and sums are float32 in 16 interleaved partial sums over at most 1024 columns, which are
// then added in a fixed order in float64: bit-equal on every processor and for every way to split
// columns at multiples of 1024.
// REQUIRES: first_column is a multiple of 1024.
template <class Number>
void AddResponses(const Number* rows, size_t row_count, size_t columns, const InputBlock& inputs,
                  size_t first_column, Responses* responses);

// The same without vector instructions, bit for bit: the reference for tests.
template <class Number>
void AddResponsesReference(const Number* rows, size_t row_count, size_t columns,
                           const InputBlock& inputs, size_t first_column, Responses* responses);

// sums[c] += sum over r of weights[r] * rows[r * columns + c]. Float32 over at most 64 rows in
// order, then float64: bit-equal on every processor.
template <class Number>
void AddWeightedRows(const Number* rows, size_t row_count, size_t columns, const float* weights,
                     double* sums);

// The same without vector instructions, bit for bit: the reference for tests.
template <class Number>
void AddWeightedRowsReference(const Number* rows, size_t row_count, size_t columns,
                              const float* weights, double* sums);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_RESPONSES_RESPONSE_KERNEL_H_
