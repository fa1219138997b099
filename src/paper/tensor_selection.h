// Which tensors the paper profile looks at.
#ifndef TENSORGUARD_PAPER_TENSOR_SELECTION_H_
#define TENSORGUARD_PAPER_TENSOR_SELECTION_H_

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "paper/inputs/random_numbers.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// 2-D and not empty.
bool IsMatrix(const TensorInfo& tensor);

// Indices of the tensors that the published code reads: all but those whose name holds "layers.N."
// with N above 15.
std::vector<size_t> TensorsRead(std::span<const TensorInfo> tensors);

// Those of `read` that are matrices.
std::vector<size_t> MatricesAmong(std::span<const TensorInfo> tensors,
                                  std::span<const size_t> read);

// Indices of up to ten 2-D tensors among `read`: all if there are no more; else up to three from
// each of the groups embedding, attention, feed-forward and others, evenly spaced, and the rest
// drawn from `random`, which goes on to other draws afterwards (published code, layer selection).
std::vector<size_t> SelectTensors(std::span<const TensorInfo> tensors, std::span<const size_t> read,
                                  NumpyRandom& random);

// True if the layer index in "layers.N." is above 15. Exposed for tests.
bool IsBeyondLayersRead(std::string_view tensor_name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_TENSOR_SELECTION_H_
