#include "cli/commands/merges.h"

namespace tensorguard::internal::cli {

NamedMerge NameParents(const std::string& child, const MergeExplanation& merge,
                       const std::function<std::string(size_t)>& name_of) {
  NamedMerge named = {.model = child, .parents = {}, .weights = {}, .residual = merge.residual};
  for (const MergeParent& parent : merge.parents) {
    named.parents.push_back(name_of(parent.candidate));
    named.weights.push_back(parent.weight);
  }
  return named;
}

std::optional<NamedMerge> FindMerge(const Fingerprint& child,
                                    const std::vector<const Fingerprint*>& candidates) {
  const auto merge = FindMergeParents(child, candidates);
  if (!merge) return {};
  return NameParents(child.model_name, *merge,
                     [&](size_t candidate) { return candidates[candidate]->model_name; });
}

}  // namespace tensorguard::internal::cli
