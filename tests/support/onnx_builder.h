// Makes the bytes of ONNX files for tests.
#ifndef TENSORGUARD_TESTS_SUPPORT_ONNX_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_ONNX_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tensorguard::internal {

// Protobuf's pieces, for files that break a rule.
std::string ProtobufVarint(uint64_t number);
std::string ProtobufNumber(uint64_t field, uint64_t number);
std::string ProtobufBytesField(uint64_t field, std::string_view bytes);

// TensorProto.DataType.
enum OnnxType : uint64_t {
  kOnnxFloat = 1,
  kOnnxUint8 = 2,
  kOnnxInt8 = 3,
  kOnnxInt64 = 7,
  kOnnxFloat16 = 10,
  kOnnxBfloat16 = 16,
  kOnnxUint4 = 21,
  kOnnxInt4 = 22,
};

// Messages. `data` is raw little-endian bytes.
std::string OnnxTensorOf(std::string_view name, uint64_t type, const std::vector<uint64_t>& shape,
                         std::string_view data);
std::string OnnxFloats(std::string_view name, const std::vector<uint64_t>& shape,
                       const std::vector<float>& values);
std::string OnnxExternal(std::string_view name, uint64_t type, const std::vector<uint64_t>& shape,
                         std::string_view location, uint64_t offset, uint64_t length);

// A tensor's beginning: name, type, shape. Data may follow.
std::string OnnxTensorHead(std::string_view name, uint64_t type,
                           const std::vector<uint64_t>& shape);

std::string OnnxNodeOf(std::string_view op_type, std::string_view name,
                       const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs,
                       const std::vector<std::string>& attributes = {},
                       std::string_view domain = {});
std::string OnnxAttribute(std::string_view name, int64_t number);
std::string OnnxListAttribute(std::string_view name, const std::vector<int64_t>& numbers);
std::string OnnxTensorAttribute(std::string_view name, std::string_view tensor);
std::string OnnxGraphAttribute(std::string_view name, std::string_view graph);

// A graph's nodes and initialisers; a model of that graph.
std::string OnnxGraphOf(const std::vector<std::string>& nodes,
                        const std::vector<std::string>& initialisers);
std::string OnnxModelOf(std::string_view graph);

// A model whose graph is that.
std::string BuildOnnx(const std::vector<std::string>& nodes,
                      const std::vector<std::string>& initialisers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_ONNX_BUILDER_H_
