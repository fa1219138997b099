// Merges among models at hand.
#ifndef TENSORGUARD_API_MERGES_H_
#define TENSORGUARD_API_MERGES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comparison/merges/merge_parents.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// A merge among known models.
struct NamedMerge {
  std::string model;
  std::vector<std::string> parents;
  std::vector<double> weights;  // parallel
  double residual = 0;          // MergeExplanation::residual
};

// `merge` with the names of its parents; `name_of` gives that of a candidate by its index.
NamedMerge NameParents(const std::string& child, const MergeExplanation& merge,
                       const std::function<std::string(size_t)>& name_of);

// The parents of `child` among `candidates`, if it is a merge of some of them.
std::optional<NamedMerge> FindMerge(const Fingerprint& child,
                                    const std::vector<const Fingerprint*>& candidates);

// "0.50 alder--sft1 and 0.50 alder--sft2", names raw.
std::string MergeText(const NamedMerge& merge);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_MERGES_H_
