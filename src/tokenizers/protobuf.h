// Protobuf's wire format: the fields of one message, in their order.
#ifndef TENSORGUARD_TOKENIZERS_PROTOBUF_H_
#define TENSORGUARD_TOKENIZERS_PROTOBUF_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tensorguard {

// As numbered on the wire; 3 and 4 are groups, which nobody writes any more.
enum class ProtobufType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtobufField {
  uint64_t number = 0;
  ProtobufType type = ProtobufType::kVarint;
  uint64_t number_value = 0;  // of a varint
  std::string_view bytes;     // of all other types; part of the message
  uint64_t offset = 0;        // of the value, from the start of the file
};

class ProtobufReader {
 public:
  // `message` lies `file_offset` bytes into its file.
  ProtobufReader(std::string_view message, uint64_t file_offset)
      : message_(message), file_offset_(file_offset) {}

  bool AtEnd() const { return at_ == message_.size(); }

  // The next field. REQUIRES: not AtEnd(). Errors: kBadFile, with the byte.
  Result<ProtobufField> Next();

 private:
  Result<uint64_t> TakeVarint();
  Result<std::string_view> TakeBytes(uint64_t count);
  Error ErrorHere(std::string problem, std::string expected) const;

  std::string_view message_;
  uint64_t file_offset_;
  size_t at_ = 0;
};

}  // namespace tensorguard

#endif  // TENSORGUARD_TOKENIZERS_PROTOBUF_H_
