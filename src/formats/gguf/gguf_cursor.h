// Reads a GGUF header from its first byte on: numbers and texts, each checked against the file.
#ifndef TENSORGUARD_FORMATS_GGUF_GGUF_CURSOR_H_
#define TENSORGUARD_FORMATS_GGUF_GGUF_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Ten times the longest header in use (a vocabulary of 262,144 tokens with its merges).
inline constexpr uint64_t kGgufHeaderLimitBytes = 256ull << 20;

// Fills `out` from a byte of the file on. The range is inside the file.
using ReadFileBytes = std::function<Result<void>(uint64_t offset_bytes, std::span<std::byte> out)>;

// Little-endian, forward only. Holds one window of the file. Errors carry the byte where the value
// that cannot be read begins: kBadFile past the file's end, kUnsupported past
// kGgufHeaderLimitBytes, and those of the reading function.
class GgufCursor {
 public:
  GgufCursor(ReadFileBytes read, uint64_t file_size_bytes)
      : read_(std::move(read)), file_size_bytes_(file_size_bytes) {}

  uint64_t position_bytes() const { return position_; }
  uint64_t remaining_bytes() const { return file_size_bytes_ - position_; }

  template <typename T>
  Result<T> Number() {
    T number;
    auto taken = Take(std::as_writable_bytes(std::span(&number, 1)));
    if (!taken) return std::move(taken).error();
    return number;
  }

  // A length (u64) and that many bytes. Errors: also kBadFile above `longest_bytes`.
  Result<std::string> Text(uint64_t longest_bytes);

  // `length` bytes. REQUIRES: TextLength() gave it.
  Result<std::string> TextOfLength(uint64_t length);

  // Passes over `bytes`, which need not be read.
  Result<void> Skip(uint64_t bytes);

  // The length of a text, whose bytes are at most those that remain.
  Result<uint64_t> TextLength();

 private:
  Result<void> Take(std::span<std::byte> out);
  Result<void> CheckRoom(uint64_t bytes) const;

  ReadFileBytes read_;
  uint64_t file_size_bytes_;
  uint64_t position_ = 0;
  std::vector<std::byte> window_;
  uint64_t window_begin_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_GGUF_GGUF_CURSOR_H_
