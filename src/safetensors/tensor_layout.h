// Where the elements of a tensor lie in its storage: row-major, transposed, or any other strides.
#ifndef TENSORGUARD_SAFETENSORS_TENSOR_LAYOUT_H_
#define TENSORGUARD_SAFETENSORS_TENSOR_LAYOUT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// PyTorch's own limit.
inline constexpr size_t kMostDimensions = 64;

// Bytes of a file that one or more tensors are views of.
struct StorageRange {
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;  // within the file
};

// Fills in element_count and the data's range from `entry`'s dtype, shape and strides (of which it
// makes an empty list if they are those of row-major order), and checks that every element lies in
// `storage`, where the tensor begins with element `first_element`. Dimensions of one element may
// have any stride, and a stride may be 0 or let elements overlap. REQUIRES: no block type. Errors:
// kBadFile, kUnsupported (strides of elements that share bytes); they know neither file nor tensor.
Result<void> PlaceTensor(TensorEntry& entry, const StorageRange& storage, uint64_t first_element);

// Strides of the whole tensor stored column by column, the first dimension fastest (Fortran).
// REQUIRES: ElementCount(shape) is known.
std::vector<uint64_t> ColumnMajorStrides(std::span<const uint64_t> shape);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_TENSOR_LAYOUT_H_
