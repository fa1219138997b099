#include "tests/support/onnx_builder.h"

#include <cstring>

namespace tensorguard::internal {

std::string ProtobufVarint(uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

std::string ProtobufNumber(uint64_t field, uint64_t number) {
  return ProtobufVarint(field << 3) + ProtobufVarint(number);
}

std::string ProtobufBytesField(uint64_t field, std::string_view bytes) {
  return ProtobufVarint(field << 3 | 2) + ProtobufVarint(bytes.size()) + std::string(bytes);
}

std::string OnnxTensorHead(std::string_view name, uint64_t type,
                           const std::vector<uint64_t>& shape) {
  std::string tensor;
  for (const uint64_t dimension : shape) tensor += ProtobufNumber(1, dimension);
  return tensor + ProtobufNumber(2, type) + ProtobufBytesField(8, name);
}

std::string OnnxTensorOf(std::string_view name, uint64_t type, const std::vector<uint64_t>& shape,
                         std::string_view data) {
  return OnnxTensorHead(name, type, shape) + ProtobufBytesField(9, data);
}

std::string OnnxFloats(std::string_view name, const std::vector<uint64_t>& shape,
                       const std::vector<float>& values) {
  std::string data(values.size() * sizeof(float), '\0');
  std::memcpy(data.data(), values.data(), data.size());
  return OnnxTensorOf(name, kOnnxFloat, shape, data);
}

std::string OnnxExternal(std::string_view name, uint64_t type, const std::vector<uint64_t>& shape,
                         std::string_view location, uint64_t offset, uint64_t length) {
  const auto pair = [](std::string_view key, std::string_view value) {
    return ProtobufBytesField(13, ProtobufBytesField(1, key) + ProtobufBytesField(2, value));
  };
  return OnnxTensorHead(name, type, shape) + pair("location", location) +
         pair("offset", std::to_string(offset)) + pair("length", std::to_string(length)) +
         ProtobufNumber(14, 1);
}

std::string OnnxNodeOf(std::string_view op_type, std::string_view name,
                       const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs,
                       const std::vector<std::string>& attributes, std::string_view domain) {
  std::string node;
  for (const std::string& input : inputs) node += ProtobufBytesField(1, input);
  for (const std::string& output : outputs) node += ProtobufBytesField(2, output);
  node += ProtobufBytesField(3, name) + ProtobufBytesField(4, op_type);
  for (const std::string& attribute : attributes) node += ProtobufBytesField(5, attribute);
  return domain.empty() ? node : node + ProtobufBytesField(7, domain);
}

std::string OnnxAttribute(std::string_view name, int64_t number) {
  return ProtobufBytesField(1, name) + ProtobufNumber(3, static_cast<uint64_t>(number));
}

std::string OnnxListAttribute(std::string_view name, const std::vector<int64_t>& numbers) {
  std::string attribute = ProtobufBytesField(1, name);
  for (const int64_t number : numbers) {
    attribute += ProtobufNumber(8, static_cast<uint64_t>(number));
  }
  return attribute;
}

std::string OnnxTensorAttribute(std::string_view name, std::string_view tensor) {
  return ProtobufBytesField(1, name) + ProtobufBytesField(5, tensor);
}

std::string OnnxGraphAttribute(std::string_view name, std::string_view graph) {
  return ProtobufBytesField(1, name) + ProtobufBytesField(6, graph);
}

std::string OnnxGraphOf(const std::vector<std::string>& nodes,
                        const std::vector<std::string>& initialisers) {
  std::string graph;
  for (const std::string& node : nodes) graph += ProtobufBytesField(1, node);
  for (const std::string& tensor : initialisers) graph += ProtobufBytesField(5, tensor);
  return graph;
}

std::string OnnxModelOf(std::string_view graph) {
  return ProtobufNumber(1, 8) + ProtobufBytesField(2, "a test") + ProtobufBytesField(7, graph);
}

std::string BuildOnnx(const std::vector<std::string>& nodes,
                      const std::vector<std::string>& initialisers) {
  return OnnxModelOf(OnnxGraphOf(nodes, initialisers));
}

}  // namespace tensorguard::internal
