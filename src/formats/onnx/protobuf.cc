#include "formats/onnx/protobuf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kHighestFieldNumber = (1u << 29) - 1;
constexpr uint64_t kWindowBytes = 16 << 10;

}  // namespace

Result<void> ProtobufBytes::Read(uint64_t begin_bytes, std::span<std::byte> out) {
  if (out.size() > kWindowBytes / 2) return source_.read(begin_bytes, out);
  if (begin_bytes < window_begin_ || begin_bytes + out.size() > window_begin_ + window_.size()) {
    window_.resize(std::min(kWindowBytes, source_.size_bytes - begin_bytes));
    window_begin_ = begin_bytes;
    auto read = source_.read(begin_bytes, window_);
    if (!read) {
      window_.clear();
      return read;
    }
  }
  if (!out.empty()) {
    std::memcpy(out.data(), window_.data() + (begin_bytes - window_begin_), out.size());
  }
  return {};
}

Result<std::string> ProtobufBytes::Text(const ProtobufField& field, uint64_t longest_bytes) {
  if (field.length_bytes() > longest_bytes) {
    return Error{.problem = "text in a protobuf message is too long",
                 .byte_offset = field.begin_bytes,
                 .found = fmt::format("{} bytes", field.length_bytes()),
                 .expected = fmt::format("at most {}", longest_bytes)};
  }
  std::string text(field.length_bytes(), '\0');
  TG_TRY(Read(field.begin_bytes, std::as_writable_bytes(std::span(text))));
  return text;
}

Result<ProtobufField> ProtobufReader::Next() {
  TG_ASSIGN(const auto tag, TakeVarint());
  ProtobufField field;
  field.number = tag >> 3;
  if (field.number == 0 || field.number > kHighestFieldNumber) {
    return ErrorHere(fmt::format("field number {} in a protobuf message", field.number),
                     fmt::format("a number from 1 to {}", kHighestFieldNumber));
  }
  const uint64_t type = tag & 7;
  if (type != 0 && type != 1 && type != 2 && type != 5) {
    return ErrorHere(fmt::format("wire type {} in a protobuf message", type), "0, 1, 2 or 5");
  }
  field.type = static_cast<ProtobufType>(type);
  uint64_t length = field.type == ProtobufType::kFixed32 ? 4 : 8;
  field.begin_bytes = at_;
  if (field.type == ProtobufType::kVarint || field.type == ProtobufType::kBytes) {
    TG_ASSIGN(const auto number, TakeVarint());
    field.number_value = number;
    field.end_bytes = at_;
    if (field.type == ProtobufType::kVarint) return field;
    length = number;
  }
  if (length > end_ - at_) {
    return ErrorHere("a protobuf field reaches beyond the end of its message",
                     fmt::format("{} bytes, of which {} are there", length, end_ - at_));
  }
  field.begin_bytes = at_;
  at_ += length;
  field.end_bytes = at_;
  return field;
}

// Seven bits a byte, the lowest first; the tenth byte has room for one bit only.
Result<uint64_t> ProtobufReader::TakeVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (AtEnd()) return ErrorHere("a protobuf message ends within a number", "one byte more");
    std::byte byte;
    TG_TRY(bytes_->Read(at_, std::span(&byte, 1)));
    const auto bits = static_cast<unsigned char>(byte);
    if (shift == 63 && bits > 1) break;
    ++at_;
    value |= static_cast<uint64_t>(bits & 0x7f) << shift;
    if (bits < 0x80) return value;
  }
  return ErrorHere("a number in a protobuf message is too long", "64 bits");
}

Error ProtobufReader::ErrorHere(std::string problem, std::string expected) const {
  return {.problem = std::move(problem), .byte_offset = at_, .expected = std::move(expected)};
}

}  // namespace tensorguard::internal
