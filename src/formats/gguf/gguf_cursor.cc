#include "formats/gguf/gguf_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored bytes are read as they are");

constexpr uint64_t kWindowBytes = 64 << 10;

}  // namespace

Result<void> GgufCursor::CheckRoom(uint64_t bytes) const {
  if (bytes > remaining_bytes()) {
    return Error{.problem = "file ends inside its header",
                 .byte_offset = position_,
                 .found = fmt::format("{} bytes from here", remaining_bytes()),
                 .expected = fmt::format("{} bytes", bytes),
                 .advice = "fetch the file again; the download was probably cut short"};
  }
  if (position_ + bytes > kGgufHeaderLimitBytes) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "header is longer than this program reads",
                 .byte_offset = position_,
                 .found = fmt::format("more than {} bytes", position_ + bytes),
                 .expected = fmt::format("at most {}", kGgufHeaderLimitBytes)};
  }
  return {};
}

Result<void> GgufCursor::Take(std::span<std::byte> out) {
  if (auto room = CheckRoom(out.size()); !room) return room;
  while (!out.empty()) {
    if (position_ < window_begin_ || position_ >= window_begin_ + window_.size()) {
      window_.resize(std::min(kWindowBytes, remaining_bytes()));
      window_begin_ = position_;
      auto read = read_(window_begin_, window_);
      if (!read) return read;
    }
    const uint64_t in_window = position_ - window_begin_;
    const size_t taken = std::min<uint64_t>(out.size(), window_.size() - in_window);
    std::memcpy(out.data(), window_.data() + in_window, taken);
    position_ += taken;
    out = out.subspan(taken);
  }
  return {};
}

Result<void> GgufCursor::Skip(uint64_t bytes) {
  if (auto room = CheckRoom(bytes); !room) return room;
  position_ += bytes;
  return {};
}

Result<uint64_t> GgufCursor::TextLength() {
  const uint64_t begin = position_;
  auto length = Number<uint64_t>();
  if (!length || *length <= remaining_bytes()) return length;
  return Error{.problem = "text is longer than the file",
               .byte_offset = begin,
               .found = fmt::format("a length of {} bytes", *length),
               .expected = fmt::format("at most {}", remaining_bytes())};
}

Result<std::string> GgufCursor::Text(uint64_t longest_bytes) {
  const uint64_t begin = position_;
  TG_ASSIGN(const auto length, TextLength());
  if (length > longest_bytes) {
    return Error{.problem = "text is too long",
                 .byte_offset = begin,
                 .found = fmt::format("{} bytes", length),
                 .expected = fmt::format("at most {}", longest_bytes)};
  }
  return TextOfLength(length);
}

Result<std::string> GgufCursor::TextOfLength(uint64_t length) {
  TG_TRY(CheckRoom(length));
  std::string text(length, '\0');
  TG_TRY(Take(std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace tensorguard::internal
