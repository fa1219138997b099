#include "formats/byte_source.h"

#include <algorithm>

#include "base/try.h"

namespace tensorguard::internal {

ByteSource SourceOf(const File& file) {
  return {.read = [&file](uint64_t offset_bytes,
                          std::span<std::byte> out) { return file.ReadAt(offset_bytes, out); },
          .size_bytes = file.size_bytes()};
}

ByteSource SourceOf(std::string_view bytes) {
  return {.read = [bytes](uint64_t offset_bytes, std::span<std::byte> out) -> Result<void> {
            const auto part = std::as_bytes(std::span(bytes)).subspan(offset_bytes, out.size());
            std::copy(part.begin(), part.end(), out.begin());
            return {};
          },
          .size_bytes = bytes.size()};
}

Result<std::string> ReadBytes(const ByteSource& source, uint64_t begin_bytes, uint64_t end_bytes) {
  std::string bytes(end_bytes - begin_bytes, '\0');
  TG_TRY(source.read(begin_bytes, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

}  // namespace tensorguard::internal
