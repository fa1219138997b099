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

#include "comparison/merges/merge_parents.h"
#include "families/merges/change_fit.h"

namespace tensorguard::internal {

// Least squares of the change of the child, the first of `changes`, on those of the others that
// went different ways: the best two, then one by one what explains more, with a weight beyond
// chance among so many (Bonferroni); of these sums the largest that is even over the matrices.
// `descendants`: models that may come from the child; they count only beside two others, where all
// is explained, or where the rest is even. Weights with their standard errors; what is left to 1 is
// the origin's, and not told as a parent. Empty for fewer than two parents.
std::optional<MergeExplanation> FindMergeByChanges(const ChangeProducts& changes,
                                                   std::span<const size_t> descendants);

// One model whose change is most of the child's, in every matrix alike (IsThinned): numbers of one
// of the two changes were dropped or trimmed, and which of the two was there first is not shown.
std::optional<MergeExplanation> FindThinned(const ChangeProducts& changes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MERGES_CHANGE_REGRESSION_H_
