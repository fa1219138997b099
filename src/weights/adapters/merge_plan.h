// Collects what an adapter does to each tensor of its base, and becomes the merged weights.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_MERGE_PLAN_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_MERGE_PLAN_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"
#include "weights/adapters/base_names.h"
#include "weights/adapters/tensor_edit.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// A tensor is replaced first and edited then, so plan replacements before edits. Errors name the
// tensor and the adapter's file.
class MergePlan {
 public:
  MergePlan(std::shared_ptr<const WeightSource> base, std::shared_ptr<const WeightSource> adapter);

  // Index of the base's tensor that the adapter calls `name`. Errors: kMismatch if there is none.
  Result<size_t> Target(std::string_view name) const;
  Result<std::optional<size_t>> TargetIfAny(std::string_view name) const;

  // The tensor as it will be when its edit is applied.
  const TensorInfo& PlannedInfo(size_t target) const;

  const TensorInfo& AdapterInfo(size_t adapter_tensor) const;

  // All elements of one of the adapter's tensors. Errors: those of ReadFloat32.
  Result<std::vector<float>> ReadAdapterTensor(size_t adapter_tensor) const;

  // Errors: kBadFile if the target is already replaced or edited.
  Result<void> Replace(size_t target, size_t adapter_tensor);
  Result<void> Edit(size_t target, std::unique_ptr<const TensorEdit> edit);

  // A tensor that the base has not. Errors: kBadFile if the name was added before.
  Result<void> Add(const std::string& name, size_t adapter_tensor);

  std::shared_ptr<const WeightSource> Merge() &&;

 private:
  struct Change {
    std::optional<size_t> replacement;  // index in the adapter's tensors
    std::unique_ptr<const TensorEdit> edit;
  };

  Error Twice(size_t target) const;

  std::shared_ptr<const WeightSource> base_;
  std::shared_ptr<const WeightSource> adapter_;
  BaseNames names_;
  std::map<size_t, Change> changes_;
  std::map<std::string, size_t> added_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_MERGE_PLAN_H_
