// What every weight format is read into: a validated table of tensors in one file.
#ifndef TENSORGUARD_SAFETENSORS_TENSOR_TABLE_H_
#define TENSORGUARD_SAFETENSORS_TENSOR_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "safetensors/dtype.h"

namespace tensorguard::internal {

// Where deflated bytes lie in the file (formats/archives/deflated_data.h).
struct PackedRange {
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;
  uint64_t size_bytes = 0;  // unpacked
};

struct TensorEntry {
  std::string name;  // as stored: valid UTF-8, but otherwise attacker text
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;    // empty for a scalar
  uint64_t element_count = 0;     // product of `shape`, known not to overflow
  uint64_t data_begin_bytes = 0;  // of the first element, from the start of the file
  uint64_t data_end_bytes = 0;    // one past the last byte of any element; within the file
  // How far the next element of each dimension lies, in elements. Empty: row-major without gaps.
  // Never of a packed or block type. PlaceTensor (safetensors/tensor_layout.h) checks them.
  std::vector<uint64_t> strides = {};
  // If the data are packed, their range counts in what unpacks from here, not in the file.
  std::optional<PackedRange> packed = {};
};

struct TensorTable {
  std::vector<TensorEntry> tensors;             // sorted by name, names unique
  std::map<std::string, std::string> metadata;  // the format's free-form strings
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_TENSOR_TABLE_H_
