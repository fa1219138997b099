#include "weights/weight_source.h"

namespace tensorguard::internal {

Result<void> WeightSource::ReadBytes(size_t tensor_index, uint64_t /*first_byte*/,
                                     std::span<std::byte> /*out*/) const {
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "packed integers cannot be read from weights that are converted",
               .file = tensors()[tensor_index].file,
               .tensor = tensors()[tensor_index].name};
}

}  // namespace tensorguard::internal
