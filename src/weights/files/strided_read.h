// Elements of a tensor whose rows do not lie one after the other: transposes, slices, expansions.
#ifndef TENSORGUARD_WEIGHTS_FILES_STRIDED_READ_H_
#define TENSORGUARD_WEIGHTS_FILES_STRIDED_READ_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A tensor as PlaceTensor (safetensors/tensor_layout.h) has checked it.
struct StridedTensor {
  uint64_t begin_bytes = 0;    // of the first element, in the file
  unsigned element_bytes = 1;  // 1, 2, 4 or 8
  std::vector<uint64_t> shape = {};
  std::vector<uint64_t> strides = {};  // in elements
};

// The bytes of elements [first_element, ...) in row-major order, as many as fill `out`. What is
// asked for is visited in the order in which it lies in the file, so that a block of rows of a
// transposed matrix takes one read per column, not one per element; gaps of up to a page are read
// through. Holds 64 KiB, whatever is asked. Thread-safe. REQUIRES: `out` is whole elements of the
// tensor. Errors: those of File::ReadAt.
Result<void> ReadStrided(const File& file, const StridedTensor& tensor, uint64_t first_element,
                         std::span<std::byte> out);

// The same, one read per element: the reference for tests.
Result<void> ReadStridedReference(const File& file, const StridedTensor& tensor,
                                  uint64_t first_element, std::span<std::byte> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_STRIDED_READ_H_
