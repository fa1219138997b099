// The safetensors file: 8 bytes of header length, a JSON header, the tensors' bytes.
#ifndef TENSORGUARD_SAFETENSORS_SAFETENSORS_H_
#define TENSORGUARD_SAFETENSORS_SAFETENSORS_H_

#include <cstdint>
#include <string_view>

#include "base/file.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The format's own cap on the header (safetensors crate, MAX_HEADER_SIZE).
inline constexpr uint64_t kSafetensorsHeaderLimitBytes = 100'000'000;

// Reads and validates the header; reads no weights. Every rule of the format is checked: header
// length and cap, UTF-8, JSON, duplicate names, dtype, shape product, data ranges that follow each
// other without hole or overlap, and an exact file length. An absent or null __metadata__ is fine.
// Errors: kBadFile with file, tensor and byte; kUnsupported for an unknown dtype.
Result<TensorTable> ReadSafetensorsTable(const File& file);

// The same on a header already in memory, for fuzzing: `header` is the JSON text, `file_size_bytes`
// the length of the file it claims to belong to. Byte offsets count from the start of that file.
Result<TensorTable> ParseSafetensorsHeader(std::string_view header, uint64_t file_size_bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_SAFETENSORS_H_
