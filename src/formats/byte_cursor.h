// Reads a file forward, a window at a time.
#ifndef TENSORGUARD_FORMATS_BYTE_CURSOR_H_
#define TENSORGUARD_FORMATS_BYTE_CURSOR_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "formats/byte_source.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Little-endian. Holds one window, or what was asked for if that is longer. Errors carry the byte:
// kBadFile past the end of the file; kUnsupported past `limit_bytes` from where it began.
class ByteCursor {
 public:
  // `source` must outlive the cursor. REQUIRES: begin_bytes is inside the file or its end.
  ByteCursor(const ByteSource& source, uint64_t begin_bytes, uint64_t limit_bytes)
      : source_(source), begin_(begin_bytes), limit_(limit_bytes), position_(begin_bytes) {}

  uint64_t position_bytes() const { return position_; }

  // The next `count` bytes, valid until the next call.
  Result<std::string_view> Take(uint64_t count);

  // Up to the next line feed, which is taken and left out. Errors: also kBadFile for a line of more
  // than 64 KiB.
  Result<std::string> Line();

  template <typename T>
  Result<T> Number() {
    auto bytes = Take(sizeof(T));
    if (!bytes) return std::move(bytes).error();
    T number;
    std::memcpy(&number, bytes->data(), sizeof(T));
    return number;
  }

 private:
  const ByteSource& source_;
  uint64_t begin_;
  uint64_t limit_;
  uint64_t position_;
  std::string window_;
  uint64_t window_begin_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_BYTE_CURSOR_H_
