// Makes the bytes of GGUF files for tests.
#ifndef TENSORGUARD_TESTS_SUPPORT_GGUF_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_GGUF_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tensorguard::internal {

// A number's little-endian bytes.
template <typename T>
std::string GgufBytes(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

// The length (u64) and the letters.
std::string GgufText(const std::string& text);

// A key, the number of its type and its value's bytes.
std::string GgufPair(const std::string& key, uint32_t type, const std::string& value);
std::string GgufTextPair(const std::string& key, const std::string& value);
std::string GgufNumberPair(const std::string& key, uint32_t value);
std::string GgufRealPair(const std::string& key, float value);
std::string GgufTextsPair(const std::string& key, const std::vector<std::string>& values);

struct BuiltGgufTensor {
  std::string name;
  uint32_t type = 0;                 // as the format counts them: 0 is F32
  std::vector<uint64_t> dimensions;  // as the format orders them: the fastest first
  std::string data;
};

// What a tensor's description says, for files that lie.
std::string GgufTensorInfo(const std::string& name, const std::vector<uint64_t>& dimensions,
                           uint32_t type, uint64_t offset);

// Magic, version, counts, and then what is given as it is.
std::string BuildRawGguf(uint32_t version, uint64_t tensor_count, uint64_t pair_count,
                         const std::string& rest);

// A valid file of version 3 that holds `tensors` in the given order, 32-byte aligned.
std::string BuildGguf(const std::vector<std::string>& pairs,
                      const std::vector<BuiltGgufTensor>& tensors);

// An F32 tensor from numbers.
BuiltGgufTensor GgufF32Tensor(std::string name, std::vector<uint64_t> dimensions,
                              const std::vector<float>& values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_GGUF_BUILDER_H_
