#include "comparison/normalised_model.h"

namespace tensorguard::internal {
namespace {

// Each set of anchors is that of one vocabulary of the others. A set of a large model takes 6 MB.
constexpr size_t kMostSets = 8;

}  // namespace

// Computed under the lock: whoever waits needs the same.
std::shared_ptr<const NormalisedKernels> NormalisedModel::KernelsOn(
    std::span<const size_t> anchors) const {
  const std::lock_guard lock(mutex_);
  const std::vector<size_t> key(anchors.begin(), anchors.end());
  if (const auto known = kernels_.find(key); known != kernels_.end()) return known->second;
  auto made = std::make_shared<const NormalisedKernels>(NormaliseKernels(*fingerprint_, anchors));
  if (kernels_.size() < kMostSets) kernels_.emplace(key, made);
  return made;
}

}  // namespace tensorguard::internal
