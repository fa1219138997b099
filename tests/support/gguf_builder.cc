#include "tests/support/gguf_builder.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kAlignment = 32;

void Pad(std::string& bytes) {
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace

std::string GgufText(const std::string& text) { return GgufBytes<uint64_t>(text.size()) + text; }

std::string GgufPair(const std::string& key, uint32_t type, const std::string& value) {
  return GgufText(key) + GgufBytes(type) + value;
}

std::string GgufTextPair(const std::string& key, const std::string& value) {
  return GgufPair(key, 8, GgufText(value));
}

std::string GgufNumberPair(const std::string& key, uint32_t value) {
  return GgufPair(key, 4, GgufBytes(value));
}

std::string GgufRealPair(const std::string& key, float value) {
  return GgufPair(key, 6, GgufBytes(value));
}

std::string GgufTextsPair(const std::string& key, const std::vector<std::string>& values) {
  std::string array = GgufBytes<uint32_t>(8) + GgufBytes<uint64_t>(values.size());
  for (const std::string& value : values) array += GgufText(value);
  return GgufPair(key, 9, array);
}

std::string GgufTensorInfo(const std::string& name, const std::vector<uint64_t>& dimensions,
                           uint32_t type, uint64_t offset) {
  std::string info = GgufText(name) + GgufBytes(static_cast<uint32_t>(dimensions.size()));
  for (const uint64_t dimension : dimensions) info += GgufBytes(dimension);
  return info + GgufBytes(type) + GgufBytes(offset);
}

std::string BuildRawGguf(uint32_t version, uint64_t tensor_count, uint64_t pair_count,
                         const std::string& rest) {
  return "GGUF" + GgufBytes(version) + GgufBytes(tensor_count) + GgufBytes(pair_count) + rest;
}

std::string BuildGguf(const std::vector<std::string>& pairs,
                      const std::vector<BuiltGgufTensor>& tensors) {
  std::string rest, data;
  for (const std::string& pair : pairs) rest += pair;
  for (const BuiltGgufTensor& tensor : tensors) {
    Pad(data);
    rest += GgufTensorInfo(tensor.name, tensor.dimensions, tensor.type, data.size());
    data += tensor.data;
  }
  std::string file = BuildRawGguf(3, tensors.size(), pairs.size(), rest);
  if (tensors.empty()) return file;
  Pad(file);
  Pad(data);
  return file + data;
}

BuiltGgufTensor GgufF32Tensor(std::string name, std::vector<uint64_t> dimensions,
                              const std::vector<float>& values) {
  std::string data;
  for (const float value : values) data += GgufBytes(value);
  return {std::move(name), 0, std::move(dimensions), std::move(data)};
}

}  // namespace tensorguard::internal
