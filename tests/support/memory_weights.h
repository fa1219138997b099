// Weights made in a test, held in memory.
#ifndef TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_
#define TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "weights/weight_source.h"

namespace tensorguard {

class MemoryWeights : public WeightSource {
 public:
  struct Tensor {
    std::vector<uint64_t> shape;
    std::vector<float> values;
  };

  explicit MemoryWeights(const std::map<std::string, Tensor>& tensors) {
    for (const auto& [name, tensor] : tensors) {
      infos_.push_back({.name = name,
                        .shape = tensor.shape,
                        .element_count = tensor.values.size(),
                        .stored_bytes = tensor.values.size() * sizeof(float),
                        .file = "memory"});
      values_.push_back(tensor.values);
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return infos_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    const auto begin = values_[tensor_index].begin() + static_cast<std::ptrdiff_t>(first_element);
    std::copy_n(begin, out.size(), out.begin());
    return {};
  }

 private:
  std::vector<TensorInfo> infos_;
  std::vector<std::vector<float>> values_;
};

}  // namespace tensorguard

#endif  // TENSORGUARD_TESTS_SUPPORT_MEMORY_WEIGHTS_H_
