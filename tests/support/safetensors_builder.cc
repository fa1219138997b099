#include "tests/support/safetensors_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace tensorguard::internal {

std::string BuildRawSafetensors(const std::string& header, const std::string& data) {
  std::string file(8, '\0');
  for (unsigned i = 0; i < 8; ++i) file[i] = static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  return file + header + data;
}

std::string BuildSafetensors(const std::vector<BuiltTensor>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const BuiltTensor& tensor : tensors) {
    const size_t begin = data.size();
    data += tensor.data;
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return BuildRawSafetensors(header.dump(), data);
}

BuiltTensor F32Tensor(std::string name, std::vector<uint64_t> shape,
                      const std::vector<float>& values) {
  std::string data(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
  return {std::move(name), "F32", std::move(shape), std::move(data)};
}

}  // namespace tensorguard::internal
