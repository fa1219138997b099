// How one tensor answers the five inputs.
#ifndef TENSORGUARD_PAPER_RESPONSES_TENSOR_RESPONSE_H_
#define TENSORGUARD_PAPER_RESPONSES_TENSOR_RESPONSE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "paper/responses/response_kernel.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// y = W x for one input x, W of shape [out, in].
struct InputResponse {
  double norm = 0;                          // ||y||
  std::array<double, 4> unit_moments = {};  // E[u^k], k = 1..4, of u = y / ||y||
};

using TensorResponse = std::array<InputResponse, kNoiseCount>;

// Called with the stored bytes that have been read since the last call, from any thread.
using BytesReadCallback = std::function<void(uint64_t)>;

// One pass over the tensor in blocks of rows, the same result for any number of threads.
// REQUIRES: the tensor is 2-D, not empty, and inputs.width() is its number of columns.
// Errors: those of ReadFloat32; kBadFile if a response is not finite. A response of zero is left to
// the caller.
Result<TensorResponse> MeasureResponse(const WeightSource& weights, size_t tensor_index,
                                       const InputBlock& inputs, unsigned threads,
                                       const BytesReadCallback& on_read = {});

// The error for weights whose response is not a finite number.
Error NotFiniteWeights(const TensorInfo& tensor);

// The whole tensor in memory, one product after the other in float64: the reference for tests.
Result<TensorResponse> MeasureResponseReference(const WeightSource& weights, size_t tensor_index,
                                                std::span<const std::vector<float>> inputs);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_RESPONSES_TENSOR_RESPONSE_H_
