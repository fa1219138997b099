// Weights that count what is read of them.
#ifndef TENSORGUARD_API_FINGERPRINTING_COUNTED_WEIGHTS_H_
#define TENSORGUARD_API_FINGERPRINTING_COUNTED_WEIGHTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "weights/weight_source.h"

namespace tensorguard::internal {

class CountedWeights : public WeightSource {
 public:
  explicit CountedWeights(std::shared_ptr<const WeightSource> weights)
      : weights_(std::move(weights)) {}

  // Stored bytes of all elements that were asked for so far, each time anew.
  uint64_t bytes_read() const { return bytes_read_; }

  const std::vector<TensorInfo>& tensors() const override { return weights_->tensors(); }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    Count(tensor_index, out.size());
    return weights_->ReadFloat32(tensor_index, first_element, out);
  }

  bool IsBFloat16(size_t tensor_index) const override { return weights_->IsBFloat16(tensor_index); }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    Count(tensor_index, out.size());
    return weights_->ReadBFloat16(tensor_index, first_element, out);
  }

 private:
  void Count(size_t tensor_index, size_t elements) const {
    const TensorInfo& tensor = tensors()[tensor_index];
    const double bytes_per_element =
        static_cast<double>(tensor.stored_bytes) / static_cast<double>(tensor.element_count);
    bytes_read_ += static_cast<uint64_t>(bytes_per_element * static_cast<double>(elements));
  }

  std::shared_ptr<const WeightSource> weights_;
  mutable std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FINGERPRINTING_COUNTED_WEIGHTS_H_
