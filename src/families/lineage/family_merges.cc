#include "families/lineage/family_merges.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "families/lineage/change_regression.h"
#include "families/lineage/increment_tree.h"

namespace tensorguard::internal {
namespace {

// Odds by what was left out or added, from which on a model came after the one that is asked about.
constexpr double kClearlyLater = 1;
// A model that by all signs came before each of its parents is none of their merges.
constexpr double kEarlierThanAll = 1;
// Squared, over that of the weights: what was stored anew.
constexpr double kNoChange = 1e-6;
// A mixture leaves no more of the distance to its nearest parent. A base lies between its children,
// too, but two leave half of the distance, and n of them 1 / n.
constexpr double kPureMixture = 0.02;
// Of larger families the models of the nearest weights.
constexpr size_t kMostCandidates = 32;

std::vector<size_t> CandidatesFor(size_t child, std::span<const size_t> family,
                                  const Kinships& kinships) {
  std::vector<std::pair<double, size_t>> candidates;
  for (const size_t model : family) {
    const Kinship* kinship = kinships.Between(child, model);
    if (kinship == nullptr || kinship->same_function) continue;
    if (kinships.OddsBySteps(child, model) >= kClearlyLater) continue;
    candidates.emplace_back(kinship->distance.value_or(2 + kinship->answers), model);
  }
  std::sort(candidates.begin(), candidates.end());
  if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);
  std::vector<size_t> models;
  for (const auto& [distance, model] : candidates) models.push_back(model);
  std::sort(models.begin(), models.end());
  return models;
}

bool ComesFrom(size_t model, size_t ancestor, const std::map<size_t, MergeExplanation>& merges) {
  if (model == ancestor) return true;
  const auto merge = merges.find(model);
  if (merge == merges.end()) return false;
  return std::any_of(
      merge->second.parents.begin(), merge->second.parents.end(),
      [&](const MergeParent& parent) { return ComesFrom(parent.candidate, ancestor, merges); });
}

// Nothing is left over. A base lies between its children, but leaves much; of increments each
// parent of a mixture is one: twice the mean of two less the other.
bool IsPureMixture(const MergeExplanation& merge) {
  return merge.form != MergeForm::kIncrements && merge.residual <= kPureMixture;
}

bool IsPossible(size_t child, const MergeExplanation& merge, const Kinships& kinships,
                const std::map<size_t, MergeExplanation>& merges) {
  bool earlier_than_all = true;
  for (const MergeParent& parent : merge.parents) {
    if (ComesFrom(parent.candidate, child, merges)) return false;
    earlier_than_all &= kinships.Odds(child, parent.candidate) >= kEarlierThanAll;
  }
  return !earlier_than_all || IsPureMixture(merge);
}

// Those that may have been trained on from the child.
std::vector<size_t> DescendantsAmong(const std::vector<size_t>& candidates, size_t child,
                                     const OriginOfClass& own, const Kinships& kinships) {
  const std::map<size_t, std::set<size_t>> no_merges;
  IncrementTree tree(own.members, kinships, no_merges);
  tree.BuildRooted(own.root);
  std::vector<size_t> descendants;
  for (const size_t candidate : candidates) {
    if (tree.ContinuesFrom(own.root, child, candidate)) descendants.push_back(candidate);
  }
  return descendants;
}

std::optional<MergeExplanation> MixtureOf(std::span<const Fingerprint* const> models, size_t child,
                                          const std::vector<size_t>& candidates) {
  std::vector<const Fingerprint*> fingerprints;
  for (const size_t model : candidates) fingerprints.push_back(models[model]);
  auto merge = FindMergeParents(*models[child], fingerprints);
  if (!merge || merge->form == MergeForm::kIncrements) return {};
  for (MergeParent& parent : merge->parents) parent.candidate = candidates[parent.candidate];
  return merge;
}

std::optional<MergeExplanation> MergeOf(std::span<const Fingerprint* const> models, size_t child,
                                        const std::vector<size_t>& candidates,
                                        const OriginOfClass& own, const Kinships& kinships) {
  if (auto mixture = MixtureOf(models, child, candidates)) return mixture;
  std::vector<size_t> comparable;
  for (const size_t candidate : candidates) {
    const bool member =
        std::find(own.members.begin(), own.members.end(), candidate) != own.members.end();
    const Kinship* with_root = kinships.Between(candidate, own.root);
    if (!member || candidate == own.root || with_root->same_function) continue;
    if (with_root->distance.value_or(0) <= kNoChange) continue;
    comparable.push_back(candidate);
  }
  if (comparable.size() < 2) return {};
  const auto descendants = DescendantsAmong(comparable, child, own, kinships);
  return FindMergeByChanges(child, own.root, comparable, descendants, kinships);
}

}  // namespace

std::set<size_t> MixturesIn(std::span<const Fingerprint* const> models,
                            std::span<const size_t> members, const Kinships& kinships) {
  std::set<size_t> mixtures;
  for (const size_t child : members) {
    const auto merge = MixtureOf(models, child, CandidatesFor(child, members, kinships));
    if (merge && IsPureMixture(*merge)) mixtures.insert(child);
  }
  return mixtures;
}

std::map<size_t, MergeExplanation> MergesIn(std::span<const Fingerprint* const> models,
                                            std::span<const size_t> family,
                                            std::span<const OriginOfClass> classes,
                                            const Kinships& kinships) {
  std::vector<std::pair<size_t, MergeExplanation>> found;
  for (const OriginOfClass& own : classes) {
    for (const size_t child : own.members) {
      if (own.members.size() > 1 && child == own.root) continue;
      auto merge = MergeOf(models, child, CandidatesFor(child, family, kinships), own, kinships);
      if (merge) found.emplace_back(child, *std::move(merge));
    }
  }
  // The best explained first: what would close a circle after it is none.
  std::stable_sort(found.begin(), found.end(), [](const auto& x, const auto& y) {
    return x.second.residual < y.second.residual;
  });
  std::map<size_t, MergeExplanation> merges;
  for (auto& [child, merge] : found) {
    if (IsPossible(child, merge, kinships, merges)) merges.emplace(child, std::move(merge));
  }
  return merges;
}

}  // namespace tensorguard::internal
