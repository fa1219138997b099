#include "weights/adapters/merge_plan.h"

#include <algorithm>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

struct MergedTensor {
  const WeightSource* source = nullptr;
  size_t source_index = 0;
  std::unique_ptr<const TensorEdit> edit;  // null where the source's values stay
};

class MergedWeights : public WeightSource {
 public:
  MergedWeights(std::shared_ptr<const WeightSource> base,
                std::shared_ptr<const WeightSource> adapter, std::vector<TensorInfo> infos,
                std::vector<MergedTensor> tensors)
      : base_(std::move(base)),
        adapter_(std::move(adapter)),
        infos_(std::move(infos)),
        tensors_(std::move(tensors)) {}

  const std::vector<TensorInfo>& tensors() const override { return infos_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    const MergedTensor& tensor = tensors_[tensor_index];
    const auto unedited = [&tensor](uint64_t first, std::span<float> values) {
      return tensor.source->ReadFloat32(tensor.source_index, first, values);
    };
    auto read = unedited(first_element, out);
    if (!read || tensor.edit == nullptr) return read;
    return tensor.edit->Apply(first_element, out, unedited);
  }

  bool IsBFloat16(size_t tensor_index) const override {
    const MergedTensor& tensor = tensors_[tensor_index];
    return tensor.edit == nullptr && tensor.source->IsBFloat16(tensor.source_index);
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    const MergedTensor& tensor = tensors_[tensor_index];
    return tensor.source->ReadBFloat16(tensor.source_index, first_element, out);
  }

 private:
  std::shared_ptr<const WeightSource> base_;
  std::shared_ptr<const WeightSource> adapter_;
  std::vector<TensorInfo> infos_;
  std::vector<MergedTensor> tensors_;
};

}  // namespace

MergePlan::MergePlan(std::shared_ptr<const WeightSource> base,
                     std::shared_ptr<const WeightSource> adapter)
    : base_(std::move(base)), adapter_(std::move(adapter)), names_(base_->tensors()) {}

Result<std::optional<size_t>> MergePlan::TargetIfAny(std::string_view name) const {
  return names_.Find(name);
}

Result<size_t> MergePlan::Target(std::string_view name) const {
  TG_ASSIGN(auto target, names_.Find(name));
  if (target) return *target;
  return Error{.kind = ErrorKind::kMismatch,
               .problem = "adapter touches a tensor that the base does not have",
               .tensor = std::string(name),
               .advice = "give the base that adapter_config.json names as base_model_name_or_path"};
}

const TensorInfo& MergePlan::PlannedInfo(size_t target) const {
  const auto change = changes_.find(target);
  if (change == changes_.end() || !change->second.replacement) return base_->tensors()[target];
  return adapter_->tensors()[*change->second.replacement];
}

const TensorInfo& MergePlan::AdapterInfo(size_t adapter_tensor) const {
  return adapter_->tensors()[adapter_tensor];
}

Result<std::vector<float>> MergePlan::ReadAdapterTensor(size_t adapter_tensor) const {
  std::vector<float> values(AdapterInfo(adapter_tensor).element_count);
  auto read = adapter_->ReadFloat32(adapter_tensor, 0, values);
  if (!read) return std::move(read).error().InTensor(AdapterInfo(adapter_tensor).name);
  return values;
}

Error MergePlan::Twice(size_t target) const {
  return {.problem = "several tensors of the adapter go to one tensor of the base",
          .tensor = base_->tensors()[target].name};
}

Result<void> MergePlan::Replace(size_t target, size_t adapter_tensor) {
  Change& change = changes_[target];
  if (change.replacement || change.edit) return Twice(target);
  change.replacement = adapter_tensor;
  return {};
}

Result<void> MergePlan::Edit(size_t target, std::unique_ptr<const TensorEdit> edit) {
  Change& change = changes_[target];
  if (change.edit) return Twice(target);
  change.edit = std::move(edit);
  return {};
}

Result<void> MergePlan::Add(const std::string& name, size_t adapter_tensor) {
  if (added_.emplace(name, adapter_tensor).second) return {};
  return Error{.problem = "several tensors of the adapter go to one name", .tensor = name};
}

std::shared_ptr<const WeightSource> MergePlan::Merge() && {
  struct Named {
    TensorInfo info;
    MergedTensor tensor;
  };
  std::vector<Named> merged;
  const std::vector<TensorInfo>& base_infos = base_->tensors();
  for (size_t i = 0; i < base_infos.size(); ++i) {
    Named named{base_infos[i], {base_.get(), i, nullptr}};
    if (const auto change = changes_.find(i); change != changes_.end()) {
      if (change->second.replacement) {
        named.info = AdapterInfo(*change->second.replacement);
        named.info.name = base_infos[i].name;
        named.tensor = {adapter_.get(), *change->second.replacement, nullptr};
      }
      named.tensor.edit = std::move(change->second.edit);
    }
    merged.push_back(std::move(named));
  }
  for (const auto& [name, adapter_tensor] : added_) {
    Named named{AdapterInfo(adapter_tensor), {adapter_.get(), adapter_tensor, nullptr}};
    named.info.name = name;
    merged.push_back(std::move(named));
  }
  std::sort(merged.begin(), merged.end(),
            [](const Named& a, const Named& b) { return a.info.name < b.info.name; });

  std::vector<TensorInfo> infos;
  std::vector<MergedTensor> tensors;
  for (Named& named : merged) {
    infos.push_back(std::move(named.info));
    tensors.push_back(std::move(named.tensor));
  }
  return std::make_shared<MergedWeights>(std::move(base_), std::move(adapter_), std::move(infos),
                                         std::move(tensors));
}

}  // namespace tensorguard::internal
