// Weights that can no longer be read once nobody wants the result.
#ifndef TENSORGUARD_API_CANCELLABLE_WEIGHTS_H_
#define TENSORGUARD_API_CANCELLABLE_WEIGHTS_H_

#include <memory>
#include <utility>
#include <vector>

#include "api/listener.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Errors: kCancelled once the listener says so.
Result<void> CheckCancelled(const Listener& listener);

// Every read begins with CheckCancelled. All long work reads weights, so it ends by that error.
class CancellableWeights : public WeightSource {
 public:
  // `listener` must outlive this.
  CancellableWeights(std::shared_ptr<const WeightSource> weights, const Listener& listener)
      : weights_(std::move(weights)), listener_(listener) {}

  const std::vector<TensorInfo>& tensors() const override { return weights_->tensors(); }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override;

  bool IsBFloat16(size_t tensor_index) const override { return weights_->IsBFloat16(tensor_index); }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override;

  Result<void> ReadBytes(size_t tensor_index, uint64_t first_byte,
                         std::span<std::byte> out) const override;

 private:
  std::shared_ptr<const WeightSource> weights_;
  const Listener& listener_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_CANCELLABLE_WEIGHTS_H_
