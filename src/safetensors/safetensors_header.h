// The JSON header of a safetensors file, as it is written there.
#ifndef TENSORGUARD_SAFETENSORS_SAFETENSORS_HEADER_H_
#define TENSORGUARD_SAFETENSORS_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <string_view>

#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr uint64_t kLengthFieldBytes = 8;

// Above what one file of the largest models holds, so that what a header takes in memory is
// bounded.
inline constexpr size_t kSafetensorsMostTensors = 1 << 18;
inline constexpr size_t kSafetensorsMostMetadata = 1 << 16;
inline constexpr size_t kSafetensorsLongestNameBytes = 4096;

// Entries in the header's order. Their data ranges are unchecked and count from the data section;
// element_count is unset. Byte offsets of errors count from the start of the file. Errors: those of
// ReadSafetensorsTable; kUnsupported for more than the limits.
Result<TensorTable> ReadSafetensorsEntries(std::string_view header);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_SAFETENSORS_HEADER_H_
