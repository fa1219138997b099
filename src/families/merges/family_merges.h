// Which models of a family are merges of others.
#ifndef TENSORGUARD_FAMILIES_MERGES_FAMILY_MERGES_H_
#define TENSORGUARD_FAMILIES_MERGES_FAMILY_MERGES_H_

#include <map>
#include <set>
#include <span>
#include <vector>

#include "comparison/merges/merge_parents.h"
#include "families/lineage/kinship.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Models of one build, and the one that is their root if none of them is a merge.
struct OriginOfClass {
  std::vector<size_t> members = {};
  size_t root = 0;
  std::set<size_t> mixtures = {};  // those of MixturesIn that are members
};

// Models that are mixtures of others of the family with nothing left over: none of them is a root.
std::set<size_t> MixturesIn(std::span<const Fingerprint* const> models,
                            std::span<const size_t> family, const Kinships& kinships);

// Whether a model that looks like the root of `members`, all of one class, is a merge of some of
// them since another: of two changes that it holds a small share of, it is nearer to all than their
// base.
bool IsMergedRoot(std::span<const Fingerprint* const> models, size_t root,
                  std::span<const size_t> members, const Kinships& kinships);

// By model; MergeParent::candidate is a model, too. Where one of three is the mean of the others,
// each of these is twice it less the third: that is no merge. No model is a merge of its own
// copies, of what came after it, or of merges of it; of merges only where nothing is left over and
// their own parents leave more. A root is no merge where it is one of several models: a base lies
// between its children, too. One parent: FindThinned. `mixtures`: MixturesIn the family.
std::map<size_t, MergeExplanation> MergesIn(std::span<const Fingerprint* const> models,
                                            std::span<const size_t> family,
                                            std::span<const OriginOfClass> origins,
                                            const std::set<size_t>& mixtures,
                                            const Kinships& kinships);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MERGES_FAMILY_MERGES_H_
