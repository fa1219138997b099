// One tensor of an ONNX file (TensorProto).
#ifndef TENSORGUARD_FORMATS_ONNX_ONNX_TENSOR_H_
#define TENSORGUARD_FORMATS_ONNX_ONNX_TENSOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "formats/onnx/onnx.h"
#include "formats/onnx/protobuf.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What is left of the limits while a file is read.
class OnnxBudget {
 public:
  // Errors: kUnsupported once more than OnnxLimits has been taken.
  Result<void> TakeField();
  Result<void> TakeUnpacked(uint64_t bytes);
  // A name or other text. Errors: also kBadFile if it is not UTF-8, or too long.
  Result<std::string> TakeText(ProtobufBytes& bytes, const ProtobufField& field);
  Result<ProtobufField> Next(ProtobufReader& reader);

 private:
  uint64_t fields_ = 0;
  uint64_t unpacked_bytes_ = 0;
  uint64_t text_bytes_ = 0;
};

// The tensor, without its graph. Empty for strings where `constant`: a node's constant is no weight
// then. Errors: as ParseOnnx.
Result<std::optional<OnnxTensor>> ReadOnnxTensor(ProtobufBytes& bytes, const ProtobufField& message,
                                                 bool constant, OnnxBudget& budget);

// Of a field that must be of this type. Errors: kBadFile.
Result<void> CheckOnnxField(const ProtobufField& field, ProtobufType type);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ONNX_ONNX_TENSOR_H_
