#include "api/cancellable_weights.h"

namespace tensorguard::internal {

Result<void> CheckCancelled(const Listener& listener) {
  if (!listener.Cancelled()) return {};
  return Error{.kind = ErrorKind::kCancelled, .problem = "cancelled"};
}

Result<void> CancellableWeights::ReadFloat32(size_t tensor_index, uint64_t first_element,
                                             std::span<float> out) const {
  if (auto going = CheckCancelled(listener_); !going) return going;
  return weights_->ReadFloat32(tensor_index, first_element, out);
}

Result<void> CancellableWeights::ReadBFloat16(size_t tensor_index, uint64_t first_element,
                                              std::span<BFloat16> out) const {
  if (auto going = CheckCancelled(listener_); !going) return going;
  return weights_->ReadBFloat16(tensor_index, first_element, out);
}

Result<void> CancellableWeights::ReadBytes(size_t tensor_index, uint64_t first_byte,
                                           std::span<std::byte> out) const {
  if (auto going = CheckCancelled(listener_); !going) return going;
  return weights_->ReadBytes(tensor_index, first_byte, out);
}

}  // namespace tensorguard::internal
