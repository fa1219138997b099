// The GGUF file: a header of key/value pairs and tensor descriptions, then the tensors' bytes.
#ifndef TENSORGUARD_FORMATS_GGUF_GGUF_H_
#define TENSORGUARD_FORMATS_GGUF_GGUF_H_

#include <cstdint>
#include <string_view>

#include "base/file.h"
#include "formats/gguf/gguf_metadata.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr std::string_view kGgufSuffix = ".gguf";

// Far above what is in use (a thousand keys, a hundred thousand tensors), so that memory is
// bounded.
inline constexpr uint64_t kGgufMostKeys = 1 << 16;
inline constexpr uint64_t kGgufMostTensors = 1 << 20;

struct GgufHeader {
  uint32_t version = 0;  // 2 or 3
  // Shapes are row-major as everywhere in this program: GGUF's dimensions in reverse, [out, in] for
  // a linear layer.
  TensorTable table;
  GgufMetadata metadata;
};

// Reads and validates the header, at most kGgufHeaderLimitBytes of it; reads no weights. Memory is
// a small multiple of the header's length. Ranges of data must be aligned, inside the file and
// apart from each other; holes between them are allowed, as the format pads. Errors: kBadFile with
// file, tensor or key, and byte; kUnsupported for version 1, a version above 3, a big-endian file,
// an array of arrays and a tensor type that is not read, each named.
Result<GgufHeader> ReadGgufHeader(const File& file);

// The same on bytes already in memory, for fuzzing: `start` is the beginning of a file of
// `file_size_bytes`. REQUIRES: start.size() <= file_size_bytes. What lies past `start` reads as
// zeros.
Result<GgufHeader> ParseGgufHeader(std::string_view start, uint64_t file_size_bytes);

// By the file's name or first bytes: Ollama names its GGUF files by their digests. Errors: those of
// File::ReadAt.
Result<bool> IsGgufFile(const File& file);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_GGUF_GGUF_H_
