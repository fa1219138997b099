// Weights made by a test, without a file.
#ifndef TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_
#define TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct MemoryTensor {
  std::string name;
  std::vector<uint64_t> shape;
  std::function<float(uint64_t element)> value;  // called from any thread
  DType dtype = DType::kF32;
};

inline MemoryTensor MemoryTensorOf(std::string name, std::vector<uint64_t> shape,
                                   std::vector<float> values) {
  return {std::move(name), std::move(shape),
          [values = std::move(values)](uint64_t element) { return values.at(element); }};
}

class MemoryWeights : public WeightSource {
 public:
  explicit MemoryWeights(std::vector<MemoryTensor> tensors) : tensors_(std::move(tensors)) {
    std::sort(tensors_.begin(), tensors_.end(),
              [](const MemoryTensor& a, const MemoryTensor& b) { return a.name < b.name; });
    for (const MemoryTensor& tensor : tensors_) {
      const uint64_t count = ElementCount(tensor.shape).value();
      infos_.push_back(
          {tensor.name, tensor.dtype, tensor.shape, count, count * sizeof(float), "memory"});
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return infos_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = tensors_.at(tensor_index).value(first_element + i);
    }
    return {};
  }

  bool IsBFloat16(size_t tensor_index) const override {
    return tensors_.at(tensor_index).dtype == DType::kBF16;
  }

  // REQUIRES: value() gives numbers that bfloat16 has.
  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = RoundToBFloat16(tensors_.at(tensor_index).value(first_element + i));
    }
    return {};
  }

 private:
  std::vector<MemoryTensor> tensors_;
  std::vector<TensorInfo> infos_;
};

struct TensorValues {
  std::vector<uint64_t> shape;
  std::vector<float> values;
};

inline MemoryWeights WeightsOf(const std::map<std::string, TensorValues>& tensors) {
  std::vector<MemoryTensor> list;
  for (const auto& [name, tensor] : tensors) {
    list.push_back(MemoryTensorOf(name, tensor.shape, tensor.values));
  }
  return MemoryWeights(std::move(list));
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_
