// The bytes of a file at any position: of a file, or of memory in tests and fuzzing.
#ifndef TENSORGUARD_FORMATS_BYTE_SOURCE_H_
#define TENSORGUARD_FORMATS_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ByteSource {
  // Fills `out` from byte `offset_bytes` on. REQUIRES: the range is inside the file.
  std::function<Result<void>(uint64_t offset_bytes, std::span<std::byte> out)> read;
  uint64_t size_bytes = 0;
};

// `file` must outlive the source.
ByteSource SourceOf(const File& file);

// `bytes` must outlive the source.
ByteSource SourceOf(std::string_view bytes);

// Bytes [begin_bytes, end_bytes) in memory. REQUIRES: the range is inside the file; its length is
// already bounded by the caller.
Result<std::string> ReadBytes(const ByteSource& source, uint64_t begin_bytes, uint64_t end_bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_BYTE_SOURCE_H_
