#include "families/merges/merge_cover.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tensorguard::internal {
namespace {

// Each time all change sides who explain more that way; few do after the first.
constexpr int kMostRounds = 4;
constexpr double kLeastGain = 1e-6;
// What two explanations explain and leave over, if they are as good.
constexpr double kAsMuch = 0.97;
constexpr double kAsLittleLeft = 1.5;

double Explained(const std::map<size_t, MergeExplanation>& merges) {
  double explained = 0;
  for (const auto& [child, merge] : merges) explained += 1 - merge.residual;
  return explained;
}

class Cover {
 public:
  Cover(const std::set<size_t>& never_parents, const MergeFinder& find)
      : never_parents_(never_parents), find_(find) {}

  std::map<size_t, MergeExplanation> Run(std::span<const size_t> members) {
    for (const size_t member : members) {
      const auto merge = find_(member, never_parents_);
      if (merge) possible_.emplace_back(merge->residual, member);
    }
    std::ranges::sort(possible_);
    bool changed = true;
    for (int round = 0; changed && round < kMostRounds; ++round) {
      changed = false;
      for (const auto& [residual, member] : possible_) changed |= ChangeSide(member);
    }
    LeaveOutDoubtful();
    return std::move(merges_);
  }

 private:
  std::set<size_t> NoParents(const std::map<size_t, MergeExplanation>& merges) const {
    std::set<size_t> no_parents = never_parents_;
    for (const auto& [child, merge] : merges) no_parents.insert(child);
    return no_parents;
  }

  // Where a parent could as well be the merge and the merge its parent, neither is shown.
  void LeaveOutDoubtful() {
    const std::map<size_t, MergeExplanation> all = merges_;
    for (const auto& [child, merge] : all) {
      if (merge.parents.size() < 2) continue;
      std::map<size_t, MergeExplanation> others = all;
      others.erase(child);
      const bool doubtful = std::ranges::any_of(merge.parents, [&](const MergeParent& parent) {
        const auto turned = find_(parent.candidate, NoParents(others));
        return turned && 1 - turned->residual >= kAsMuch * (1 - merge.residual) &&
               turned->residual <= kAsLittleLeft * merge.residual;
      });
      if (doubtful) merges_.erase(child);
    }
  }

  // If more is explained that way.
  bool ChangeSide(size_t member) {
    std::map<size_t, MergeExplanation> next = merges_;
    const bool was_merged = next.erase(member) > 0;
    if (was_merged) {
      ChangePlaces(merges_.at(member), &next);
    } else if (auto merge = find_(member, NoParents(next))) {
      next.emplace(member, *std::move(merge));
    } else {
      return false;
    }
    ExplainAnew(member, was_merged, &next);
    if (was_merged) ExplainOthers(member, &next);
    if (Explained(next) <= Explained(merges_) + kLeastGain) return false;
    merges_ = std::move(next);
    return true;
  }

  // Those that may be merges now that `parent` is none.
  void ExplainOthers(size_t parent, std::map<size_t, MergeExplanation>* merges) {
    for (const auto& [residual, member] : possible_) {
      if (member == parent || merges->contains(member)) continue;
      std::map<size_t, MergeExplanation> next = *merges;
      auto merge = find_(member, NoParents(next));
      if (!merge) continue;
      next.emplace(member, *std::move(merge));
      ExplainAnew(member, false, &next);
      if (Explained(next) > Explained(*merges)) *merges = std::move(next);
    }
  }

  // Of a merge with one parent, either may have been there first.
  void ChangePlaces(const MergeExplanation& merge, std::map<size_t, MergeExplanation>* merges) {
    if (merge.parents.size() > 1) return;
    const size_t parent = merge.parents.front().candidate;
    if (auto other = find_(parent, NoParents(*merges))) merges->emplace(parent, *std::move(other));
  }

  // Those that `member` is a parent of, or may be one of now.
  void ExplainAnew(size_t member, bool may_be_parent, std::map<size_t, MergeExplanation>* merges) {
    const std::map<size_t, MergeExplanation> before = *merges;
    for (const auto& [child, merge] : before) {
      const bool is_parent = std::ranges::any_of(
          merge.parents, [&](const MergeParent& parent) { return parent.candidate == member; });
      if (child == member || (!is_parent && !may_be_parent)) continue;
      merges->erase(child);
      auto other = find_(child, NoParents(*merges));
      if (other) merges->emplace(child, *std::move(other));
    }
  }

  const std::set<size_t>& never_parents_;
  const MergeFinder& find_;
  std::vector<std::pair<double, size_t>> possible_ = {};  // what is left over at best, of whom
  std::map<size_t, MergeExplanation> merges_ = {};
};

}  // namespace

std::map<size_t, MergeExplanation> CoverByMerges(std::span<const size_t> members,
                                                 const std::set<size_t>& never_parents,
                                                 const MergeFinder& find) {
  return Cover(never_parents, find).Run(members);
}

}  // namespace tensorguard::internal
