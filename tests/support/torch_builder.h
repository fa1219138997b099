// Makes the bytes of pickles and PyTorch files for tests.
#ifndef TENSORGUARD_TESTS_SUPPORT_TORCH_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_TORCH_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tensorguard::internal {

// Each is the opcodes that leave one value on the stack.
std::string PickleText(const std::string& text);
std::string PickleNumber(int32_t number);
std::string PickleGlobalName(const std::string& module, const std::string& name);
std::string PickleTuple(const std::vector<std::string>& items);
std::string PickleList(const std::vector<std::string>& items);
std::string PickleDict(const std::vector<std::pair<std::string, std::string>>& items);
std::string PickleCall(const std::string& function, const std::vector<std::string>& arguments);

// Protocol 2, and the end.
std::string WholePickle(const std::string& value);

struct BuiltTorchTensor {
  std::string storage_key = "0";
  int32_t storage_elements = 0;
  std::vector<int32_t> shape;
  std::vector<int32_t> strides;
  int32_t first_element = 0;
  std::string storage_type = "FloatStorage";
};

std::string PickleTensor(const BuiltTorchTensor& tensor);

// A zip archive with the value and its storages' bytes by key.
std::string BuildTorchZip(const std::string& value,
                          const std::map<std::string, std::string>& storages,
                          const std::map<std::string, std::string>& other_entries = {});

// The form before zip; four bytes per element.
std::string BuildTorchLegacy(const std::string& value,
                             const std::map<std::string, std::string>& storages,
                             bool little_endian = true);

std::string FloatBytes(const std::vector<float>& numbers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_TORCH_BUILDER_H_
