// What must hold for every table of tensors that a parser accepts.
#ifndef TENSORGUARD_FUZZ_TABLE_CHECKS_H_
#define TENSORGUARD_FUZZ_TABLE_CHECKS_H_

#include <cstdint>

#include "fuzz/refusal_checks.h"
#include "safetensors/dtype.h"
#include "safetensors/tensor_table.h"

namespace tensorguard::internal {

// Names in order, and every element inside the file or what unpacks from it.
inline void CheckAccepted(const TensorTable& table, uint64_t file_size) {
  const TensorEntry* previous = nullptr;
  for (const TensorEntry& entry : table.tensors) {
    Require(previous == nullptr || previous->name < entry.name);
    previous = &entry;
    const uint64_t end = entry.packed ? entry.packed->size_bytes : file_size;
    Require(!entry.packed || entry.packed->end_bytes <= file_size);
    Require(entry.data_begin_bytes <= entry.data_end_bytes && entry.data_end_bytes <= end);
    Require(entry.strides.empty() || entry.strides.size() == entry.shape.size());
    if (entry.element_count == 0) continue;
    uint64_t furthest = entry.element_count - 1;
    if (!entry.strides.empty()) {
      furthest = 0;
      for (size_t i = 0; i < entry.shape.size(); ++i) {
        furthest += (entry.shape[i] - 1) * entry.strides[i];
      }
    }
    const uint64_t bytes = InfoOf(entry.dtype).bits / 8;
    Require(furthest < file_size + end);
    Require((furthest + 1) * bytes == entry.data_end_bytes - entry.data_begin_bytes);
  }
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FUZZ_TABLE_CHECKS_H_
