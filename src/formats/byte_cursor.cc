#include "formats/byte_cursor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kWindowBytes = 1 << 16;
constexpr size_t kLongestLineBytes = 1 << 16;

}  // namespace

Result<std::string_view> ByteCursor::Take(uint64_t count) {
  const uint64_t remaining = source_.size_bytes - position_;
  if (count > remaining) {
    return Error{.problem = "file ends inside a value",
                 .byte_offset = position_,
                 .found = fmt::format("{} bytes left", remaining),
                 .expected = fmt::format("{} bytes", count),
                 .advice = "fetch the file again; the download was probably cut short"};
  }
  if (count > limit_ - (position_ - begin_)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "description of the tensors is longer than this program reads",
                 .byte_offset = position_,
                 .expected = fmt::format("at most {} bytes", limit_)};
  }
  if (position_ < window_begin_ || position_ + count > window_begin_ + window_.size()) {
    const uint64_t length = std::min(std::max(count, kWindowBytes), remaining);
    TG_ASSIGN(auto read, ReadBytes(source_, position_, position_ + length));
    window_ = std::move(read);
    window_begin_ = position_;
  }
  const std::string_view taken = std::string_view(window_).substr(position_ - window_begin_, count);
  position_ += count;
  return taken;
}

Result<std::string> ByteCursor::Line() {
  const uint64_t begin = position_;
  std::string line;
  while (line.size() <= kLongestLineBytes) {
    TG_ASSIGN(auto letter, Number<char>());
    if (letter == '\n') return line;
    line += letter;
  }
  return Error{.problem = "line is too long", .byte_offset = begin};
}

}  // namespace tensorguard::internal
