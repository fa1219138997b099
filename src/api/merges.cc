#include "api/merges.h"

#include <fmt/format.h>

#include "comparison/merges/merge_parents.h"

namespace tensorguard::internal {

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

std::string MergeText(const NamedMerge& merge) {
  std::string text;
  for (size_t i = 0; i < merge.parents.size(); ++i) {
    if (i > 0) text += i + 1 == merge.parents.size() ? " and " : ", ";
    text += fmt::format("{:.2f} {}", merge.weights[i], merge.parents[i]);
  }
  return text;
}

}  // namespace tensorguard::internal
