#include "weights/selected_weights.h"

#include <algorithm>
#include <utility>

namespace tensorguard::internal {
namespace {

class SelectedWeights : public WeightSource {
 public:
  SelectedWeights(std::shared_ptr<const WeightSource> weights, std::vector<SelectedTensor> selected)
      : weights_(std::move(weights)) {
    for (SelectedTensor& tensor : selected) {
      tensors_.push_back(weights_->tensors()[tensor.tensor]);
      tensors_.back().name = std::move(tensor.name);
      places_.push_back(tensor.tensor);
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    return weights_->ReadFloat32(places_[tensor_index], first_element, out);
  }

  bool IsBFloat16(size_t tensor_index) const override {
    return weights_->IsBFloat16(places_[tensor_index]);
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    return weights_->ReadBFloat16(places_[tensor_index], first_element, out);
  }

  Result<void> ReadBytes(size_t tensor_index, uint64_t first_byte,
                         std::span<std::byte> out) const override {
    return weights_->ReadBytes(places_[tensor_index], first_byte, out);
  }

 private:
  std::shared_ptr<const WeightSource> weights_;
  std::vector<TensorInfo> tensors_;
  std::vector<size_t> places_;  // of tensors_, in weights_
};

}  // namespace

Result<std::shared_ptr<const WeightSource>> SelectTensors(
    std::shared_ptr<const WeightSource> weights, std::vector<SelectedTensor> selected) {
  std::sort(selected.begin(), selected.end(),
            [](const SelectedTensor& a, const SelectedTensor& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      selected.begin(), selected.end(),
      [](const SelectedTensor& a, const SelectedTensor& b) { return a.name == b.name; });
  if (twice != selected.end()) {
    const TensorInfo& tensor = weights->tensors()[twice->tensor];
    return Error{.problem = "two tensors are the same part of the model",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = weights->tensors()[(twice + 1)->tensor].name + " as well"};
  }
  return std::shared_ptr<const WeightSource>(
      std::make_shared<SelectedWeights>(std::move(weights), std::move(selected)));
}

}  // namespace tensorguard::internal
