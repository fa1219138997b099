#include "weights/placeholders.h"

#include <fmt/format.h>

#include <algorithm>

namespace tensorguard::internal {

Result<void> CheckHoldsNumbers(std::span<const TensorInfo> tensors) {
  const auto empty = std::count_if(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
    return tensor.element_count == 0;
  });
  const bool any_matrix = std::any_of(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
    return tensor.element_count > 1 && tensor.shape.size() > 1;
  });
  if (empty == 0 || any_matrix) return {};
  return Error{.problem = "the tensors are placeholders without numbers",
               .file = tensors.front().file,
               .found = fmt::format("{} of {} tensors have no elements", empty, tensors.size()),
               .expected = "the weights",
               .advice =
                   "put the weights of the training together first: with DeepSpeed, python "
                   "zero_to_fp32.py CHECKPOINT OUTPUT in the checkpoint's folder"};
}

Result<void> CheckNoPlaceholder(std::span<const TensorInfo> tensors) {
  const auto empty = std::ranges::find(tensors, uint64_t{0}, &TensorInfo::element_count);
  if (empty == tensors.end()) return {};
  return Error{.problem = "the tensor is a placeholder without numbers",
               .file = empty->file,
               .tensor = empty->name,
               .found = "a tensor of no elements",
               .expected = "the adapter's weights",
               .advice = "save the adapter again with its weights gathered from all processors"};
}

}  // namespace tensorguard::internal
