#include "families/merges/merge_cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

struct Possible {
  size_t child = 0;
  std::vector<size_t> parents = {};
  double explained = 0;
};

// Of what is possible for a child without those that are no parents, what explains most.
MergeFinder FinderOf(std::vector<Possible> possible) {
  return [possible = std::move(possible)](size_t child, const std::set<size_t>& no_parents) {
    std::optional<MergeExplanation> best;
    for (const Possible& each : possible) {
      const bool open = std::none_of(each.parents.begin(), each.parents.end(),
                                     [&](size_t parent) { return no_parents.contains(parent); });
      if (each.child != child || !open) continue;
      if (best && 1 - best->residual >= each.explained) continue;
      best = MergeExplanation{.form = MergeForm::kIncrements, .residual = 1 - each.explained};
      for (const size_t parent : each.parents) best->parents.push_back({.candidate = parent});
    }
    return best;
  };
}

const std::vector<size_t> kMembers = {0, 1, 2, 3, 4};

TEST(CoverByMerges, TakesNoMergeForAParentOfAnother) {
  // 2, 3 and 4 are merges of 0 and 1; each is explained better by two others of them.
  const auto merges = CoverByMerges(kMembers, {},
                                    FinderOf({{2, {3, 4}, 0.8},
                                              {3, {2, 4}, 0.8},
                                              {4, {2, 3}, 0.8},
                                              {2, {0, 1}, 0.6},
                                              {3, {0, 1}, 0.6},
                                              {4, {0, 1}, 0.6}}));
  EXPECT_THAT(merges, ElementsAre(Key(2), Key(3), Key(4)));
  for (const auto& [child, merge] : merges) EXPECT_EQ(merge.parents[0].candidate, 0u) << child;
}

TEST(CoverByMerges, AParentIsNoMergeOfItsMerges) {
  const auto merges = CoverByMerges(
      kMembers, {},
      FinderOf({{0, {2, 3}, 0.7}, {2, {0, 1}, 0.6}, {3, {0, 1}, 0.6}, {4, {0, 1}, 0.6}}));
  EXPECT_THAT(merges, ElementsAre(Key(2), Key(3), Key(4)));
}

TEST(CoverByMerges, TellsNothingWhereParentAndMergeCouldChangePlaces) {
  const auto merges = CoverByMerges(kMembers, {}, FinderOf({{2, {0, 1}, 0.5}, {0, {2, 1}, 0.49}}));
  EXPECT_THAT(merges, IsEmpty());
}

TEST(CoverByMerges, LeavesOutWhatIsNeverAParent) {
  const auto merges = CoverByMerges(kMembers, {3}, FinderOf({{2, {0, 3}, 0.9}}));
  EXPECT_THAT(merges, IsEmpty());
}

}  // namespace
}  // namespace tensorguard::internal
