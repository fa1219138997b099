#include "weights/adapters/orientation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tensorguard::internal {
namespace {

// Eight-bit floats and integers are quantised: their numbers mean nothing without scales.
constexpr std::array kMergeableTypes = {DType::kF16, DType::kBF16, DType::kF32, DType::kF64};

}  // namespace

Result<void> CheckIsFloat(const TensorInfo& tensor) {
  if (std::find(kMergeableTypes.begin(), kMergeableTypes.end(), tensor.dtype) ==
      kMergeableTypes.end()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "adapter changes a quantised tensor",
                 .tensor = tensor.name,
                 .found = std::string(InfoOf(tensor.dtype).name),
                 .expected = "F16, BF16, F32 or F64",
                 .advice = "merge into the base before quantisation"};
  }
  return {};
}

Result<void> CheckIsFloatMatrix(const TensorInfo& tensor) {
  if (tensor.shape.size() != 2) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "adapter changes a tensor that is no matrix",
                 .tensor = tensor.name,
                 .found = fmt::format("shape [{}]", fmt::join(tensor.shape, ", ")),
                 .expected = "two dimensions"};
  }
  return CheckIsFloat(tensor);
}

Result<Orientation> OrientationOf(const TensorInfo& matrix, uint64_t outputs, uint64_t inputs) {
  const bool plain = matrix.shape[0] == outputs && matrix.shape[1] == inputs;
  const bool transposed = matrix.shape[0] == inputs && matrix.shape[1] == outputs;
  if (plain && transposed) return Orientation::kSquare;
  if (plain) return Orientation::kOutputsByInputs;
  if (transposed) return Orientation::kInputsByOutputs;
  return Error{.kind = ErrorKind::kMismatch,
               .problem = "adapter was made for a base of another shape",
               .tensor = matrix.name,
               .found = fmt::format("base tensor of shape [{}]", fmt::join(matrix.shape, ", ")),
               .expected = fmt::format("[{}, {}] (outputs, inputs) or its transpose, as the "
                                       "adapter's own tensors say",
                                       outputs, inputs),
               .advice = "give the base that adapter_config.json names as base_model_name_or_path"};
}

void OrientationEvidence::See(Orientation orientation) {
  if (orientation == Orientation::kOutputsByInputs) saw_outputs_by_inputs_ = true;
  if (orientation == Orientation::kInputsByOutputs) saw_inputs_by_outputs_ = true;
}

Orientation OrientationEvidence::Resolve(Orientation orientation) const {
  if (orientation != Orientation::kSquare) return orientation;
  const bool transposed =
      saw_outputs_by_inputs_ == saw_inputs_by_outputs_ ? fan_in_fan_out_ : saw_inputs_by_outputs_;
  return transposed ? Orientation::kInputsByOutputs : Orientation::kOutputsByInputs;
}

}  // namespace tensorguard::internal
