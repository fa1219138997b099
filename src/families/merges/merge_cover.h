// Which members of a class were merged from which, so that as much of their changes is explained as
// can be.
//
// Merges of the same models have much in common, and each holds what the others dropped: one by
// one, a parent of several merges looks as much like their merge as each of them. So some are taken
// for merged and the others for what they were merged from, and whoever changes sides must explain
// more.
#ifndef TENSORGUARD_FAMILIES_MERGES_MERGE_COVER_H_
#define TENSORGUARD_FAMILIES_MERGES_MERGE_COVER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "comparison/merges/merge_parents.h"

namespace tensorguard::internal {

// A model's merge from others than `no_parents`; empty where none explains it.
using MergeFinder = std::function<std::optional<MergeExplanation>(
    size_t child, const std::set<size_t>& no_parents)>;

// Of those of `members` that are merged, by which of the others. `never_parents`: they are none of
// any merge. What is explained of a merge is 1 - residual.
std::map<size_t, MergeExplanation> CoverByMerges(std::span<const size_t> members,
                                                 const std::set<size_t>& never_parents,
                                                 const MergeFinder& find);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MERGES_MERGE_COVER_H_
