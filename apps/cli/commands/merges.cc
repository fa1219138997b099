#include "cli/commands/merges.h"

namespace tensorguard::internal::cli {

std::optional<NamedMerge> FindMerge(const Fingerprint& child,
                                    const std::vector<const Fingerprint*>& candidates) {
  const auto explanation = FindMergeParents(child, candidates);
  if (!explanation) return {};
  NamedMerge merge = {
      .model = child.model_name, .parents = {}, .weights = {}, .residual = explanation->residual};
  for (const MergeParent& parent : explanation->parents) {
    merge.parents.push_back(candidates[parent.candidate]->model_name);
    merge.weights.push_back(parent.weight);
  }
  return merge;
}

}  // namespace tensorguard::internal::cli
