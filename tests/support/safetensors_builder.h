// Makes the bytes of safetensors files for tests.
#ifndef TENSORGUARD_TESTS_SUPPORT_SAFETENSORS_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_SAFETENSORS_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tensorguard::internal {

struct BuiltTensor {
  std::string name;
  std::string dtype;  // as the format spells it
  std::vector<uint64_t> shape;
  std::string data;  // raw little-endian bytes
};

// A valid file that holds `tensors` in the given order.
std::string BuildSafetensors(const std::vector<BuiltTensor>& tensors);

// 8 bytes of length, then `header` as it is, then `data`: for files that break a rule.
std::string BuildRawSafetensors(const std::string& header, const std::string& data);

// An F32 tensor from numbers.
BuiltTensor F32Tensor(std::string name, std::vector<uint64_t> shape,
                      const std::vector<float>& values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_SAFETENSORS_BUILDER_H_
