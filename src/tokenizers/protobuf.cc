#include "tokenizers/protobuf.h"

#include <fmt/format.h>

namespace tensorguard {
namespace {

constexpr uint64_t kHighestFieldNumber = (1u << 29) - 1;

}  // namespace

Result<ProtobufField> ProtobufReader::Next() {
  const auto tag = TakeVarint();
  if (!tag) return tag.error();
  ProtobufField field;
  field.number = *tag >> 3;
  if (field.number == 0 || field.number > kHighestFieldNumber) {
    return ErrorHere(fmt::format("field number {} in a protobuf message", field.number),
                     fmt::format("a number from 1 to {}", kHighestFieldNumber));
  }
  const uint64_t type = *tag & 7;
  if (type != 0 && type != 1 && type != 2 && type != 5) {
    return ErrorHere(fmt::format("wire type {} in a protobuf message", type), "0, 1, 2 or 5");
  }
  field.type = static_cast<ProtobufType>(type);
  uint64_t length = field.type == ProtobufType::kFixed32 ? 4 : 8;
  if (field.type == ProtobufType::kVarint || field.type == ProtobufType::kBytes) {
    field.offset = file_offset_ + at_;
    const auto number = TakeVarint();
    if (!number) return number.error();
    field.number_value = *number;
    if (field.type == ProtobufType::kVarint) return field;
    length = *number;
  }
  field.offset = file_offset_ + at_;
  const auto bytes = TakeBytes(length);
  if (!bytes) return bytes.error();
  field.bytes = *bytes;
  return field;
}

// Seven bits a byte, the lowest first; the tenth byte has room for one bit only.
Result<uint64_t> ProtobufReader::TakeVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (AtEnd()) return ErrorHere("a protobuf message ends within a number", "one byte more");
    const auto byte = static_cast<unsigned char>(message_[at_]);
    if (shift == 63 && byte > 1) break;
    ++at_;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return ErrorHere("a number in a protobuf message is too long", "64 bits");
}

Result<std::string_view> ProtobufReader::TakeBytes(uint64_t count) {
  const size_t left = message_.size() - at_;
  if (count > left) {
    return ErrorHere("a protobuf field reaches beyond the end of its message",
                     fmt::format("{} bytes, of which {} are there", count, left));
  }
  const std::string_view bytes = message_.substr(at_, count);
  at_ += count;
  return bytes;
}

Error ProtobufReader::ErrorHere(std::string problem, std::string expected) const {
  return {.problem = std::move(problem),
          .byte_offset = file_offset_ + at_,
          .expected = std::move(expected)};
}

}  // namespace tensorguard
