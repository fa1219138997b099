// A merge's change since an origin as a sum of the changes of its parents.
//
// Linear merges, task arithmetic, and those that drop, trim or elect numbers of the changes (DARE,
// TIES, breadcrumbs) give each parent one weight in all matrices, whatever else they leave or add;
// or what they leave over is the same part of each matrix; or the weights have the same ratios in
// all (model stock). A model that was trained beside others on like data holds shares of their
// changes, too, but other ones in each matrix.
#ifndef TENSORGUARD_FAMILIES_MERGES_CHANGE_REGRESSION_H_
#define TENSORGUARD_FAMILIES_MERGES_CHANGE_REGRESSION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "comparison/merges/merge_parents.h"
#include "families/lineage/kinship.h"

namespace tensorguard::internal {

// Least squares of the change of `child` since `origin` on those of the candidates that went
// different ways: the best two, then one by one what explains more, with a weight beyond chance
// among so many (Bonferroni); of these sums the largest that is even over the matrices.
// `descendants`: candidates that may come from the child; they count only beside two others, where
// all is explained, or where the rest is even. Weights with their standard errors; what is left to
// 1 is the origin's, and not told as a parent. Empty for fewer than two parents. `stored`:
// StoredTensorsOf the child. REQUIRES: all of one build, as BuildClassesOf has them.
std::optional<MergeExplanation> FindMergeByChanges(size_t child, size_t origin,
                                                   std::span<const size_t> candidates,
                                                   std::span<const size_t> descendants,
                                                   const std::vector<size_t>& stored,
                                                   const Kinships& kinships);

// One candidate whose change is most of the child's, in every matrix alike (IsThinned): numbers of
// one of the two changes were dropped or trimmed, and which of the two was there first is not
// shown. Else as above.
std::optional<MergeExplanation> FindThinned(size_t child, size_t origin,
                                            std::span<const size_t> candidates,
                                            const std::vector<size_t>& stored,
                                            const Kinships& kinships);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MERGES_CHANGE_REGRESSION_H_
