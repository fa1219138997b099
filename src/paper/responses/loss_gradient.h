// The gradient that the adversarial perturbation follows.
#ifndef TENSORGUARD_PAPER_RESPONSES_LOSS_GRADIENT_H_
#define TENSORGUARD_PAPER_RESPONSES_LOSS_GRADIENT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "paper/responses/tensor_response.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// d CE(x V^T, target) / dx = V^T (softmax(V x) - onehot(target)) for V = tensors()[tensor_index] of
// shape [classes, width], in one pass over V: the softmax is kept relative to a running maximum.
// Memory: at most 64 partial sums of `width` numbers. Same result for any number of threads.
// REQUIRES: V is 2-D and not empty, x.size() is its number of columns, target < classes.
// Errors: those of ReadFloat32; kBadFile if a logit is not finite.
Result<std::vector<double>> CrossEntropyGradient(const WeightSource& weights, size_t tensor_index,
                                                 const std::vector<float>& x, uint64_t target,
                                                 unsigned threads,
                                                 const BytesReadCallback& on_read = {});

// The same by the formula, V in memory: the reference for tests.
Result<std::vector<double>> CrossEntropyGradientReference(const WeightSource& weights,
                                                          size_t tensor_index,
                                                          const std::vector<float>& x,
                                                          uint64_t target);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_RESPONSES_LOSS_GRADIENT_H_
