// Protobuf's wire format: the fields of one message, in their order, without holding the file.
#ifndef TENSORGUARD_FORMATS_ONNX_PROTOBUF_H_
#define TENSORGUARD_FORMATS_ONNX_PROTOBUF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/byte_source.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// As numbered on the wire; 3 and 4 are groups, which nobody writes any more.
enum class ProtobufType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtobufField {
  uint64_t number = 0;
  ProtobufType type = ProtobufType::kVarint;
  uint64_t number_value = 0;  // of a varint
  uint64_t begin_bytes = 0;   // of the value, from the start of the file
  uint64_t end_bytes = 0;

  uint64_t length_bytes() const { return end_bytes - begin_bytes; }
};

// The bytes that messages lie in, of which one small window is held. Not thread-safe.
class ProtobufBytes {
 public:
  explicit ProtobufBytes(ByteSource source) : source_(std::move(source)) {}

  uint64_t size_bytes() const { return source_.size_bytes; }

  // Fills `out`. REQUIRES: the range is inside the file. Errors: those of the source.
  Result<void> Read(uint64_t begin_bytes, std::span<std::byte> out);

  // The value of a field of bytes. Errors: kBadFile above `longest_bytes`.
  Result<std::string> Text(const ProtobufField& field, uint64_t longest_bytes);

 private:
  ByteSource source_;
  std::vector<std::byte> window_;
  uint64_t window_begin_ = 0;
};

// Forward only. Messages may be walked one inside the other.
class ProtobufReader {
 public:
  // The message is bytes [begin_bytes, end_bytes) of `bytes`, which must outlive the reader.
  ProtobufReader(ProtobufBytes& bytes, uint64_t begin_bytes, uint64_t end_bytes)
      : bytes_(&bytes), at_(begin_bytes), end_(end_bytes) {}
  ProtobufReader(ProtobufBytes& bytes, const ProtobufField& message)
      : ProtobufReader(bytes, message.begin_bytes, message.end_bytes) {}

  bool AtEnd() const { return at_ == end_; }

  // The next field; its bytes are passed over. REQUIRES: not AtEnd(). Errors: kBadFile, with the
  // byte.
  Result<ProtobufField> Next();

  // The next number of a packed field. REQUIRES: not AtEnd(). Errors: as Next().
  Result<uint64_t> TakeVarint();

 private:
  Error ErrorHere(std::string problem, std::string expected) const;

  ProtobufBytes* bytes_;
  uint64_t at_;
  uint64_t end_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ONNX_PROTOBUF_H_
