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
  // A merge may be shorter than all of its parents.
  return !earlier_than_all || merge.rest_is_even || IsPureMixture(merge);
}

// Those that may have been trained on from the child.
std::vector<size_t> DescendantsAmong(const std::vector<size_t>& candidates, size_t child,
                                     size_t root, const IncrementTree& tree) {
  std::vector<size_t> descendants;
  for (const size_t candidate : candidates) {
    if (tree.ContinuesFrom(root, child, candidate)) descendants.push_back(candidate);
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

// A mixture of mixtures is one of their parents, too: those are named where they leave no more
// over.
std::optional<MergeExplanation> MixtureOfUnmixed(std::span<const Fingerprint* const> models,
                                                 size_t child,
                                                 const std::vector<size_t>& candidates,
                                                 const std::set<size_t>& mixtures) {
  auto merge = MixtureOf(models, child, candidates);
  const bool of_mixtures = merge && std::ranges::any_of(merge->parents, [&](const auto& parent) {
                             return mixtures.contains(parent.candidate);
                           });
  if (!of_mixtures) return merge;
  std::vector<size_t> unmixed;
  for (const size_t candidate : candidates) {
    if (!mixtures.contains(candidate)) unmixed.push_back(candidate);
  }
  auto other = MixtureOf(models, child, unmixed);
  return other && other->residual <= merge->residual + kPureMixture ? other : merge;
}

// What was trained on from a mixture holds all of its change, and is much nearer to it than to all
// that it was mixed from.
constexpr double kLeastOfMixture = 0.9;
constexpr double kMostOfMixture = 1.1;

bool ContinuesMixture(size_t child, size_t mixture, const MergeExplanation& merge,
                      const IncrementTree& tree, size_t root) {
  if (merge.rest_is_even) return false;
  const double share = tree.Held(root, mixture, child).share;
  if (share < kLeastOfMixture || share > kMostOfMixture) return false;
  const double distance = tree.Distance(mixture, child);
  return std::all_of(merge.parents.begin(), merge.parents.end(), [&](const MergeParent& parent) {
    return distance < kMuchNearerToMerge * tree.Distance(parent.candidate, child);
  });
}

std::optional<MergeExplanation> MergeOf(std::span<const Fingerprint* const> models, size_t child,
                                        const std::vector<size_t>& candidates,
                                        const OriginOfClass& own, const IncrementTree& tree,
                                        const Kinships& kinships) {
  if (auto mixture = MixtureOfUnmixed(models, child, candidates, own.mixtures)) return mixture;
  std::vector<size_t> comparable;
  for (const size_t candidate : candidates) {
    const bool member =
        std::find(own.members.begin(), own.members.end(), candidate) != own.members.end();
    const Kinship* with_root = kinships.Between(candidate, own.root);
    if (!member || candidate == own.root || with_root->same_function) continue;
    // A mixture stands for its parents: what explains more than they do came from it.
    if (own.mixtures.contains(candidate)) continue;
    if (with_root->distance.value_or(0) <= kNoChange) continue;
    comparable.push_back(candidate);
  }
  if (comparable.size() < 2) return {};
  const auto descendants = DescendantsAmong(comparable, child, own.root, tree);
  auto merge = FindMergeByChanges(child, own.root, comparable, descendants, kinships);
  if (!merge) return {};
  const bool continues = std::any_of(own.mixtures.begin(), own.mixtures.end(), [&](size_t mixture) {
    return mixture != child && ContinuesMixture(child, mixture, *merge, tree, own.root);
  });
  if (continues) return {};
  return merge;
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
  const std::map<size_t, std::set<size_t>> no_merges;
  for (const OriginOfClass& own : classes) {
    IncrementTree tree(own.members, kinships, no_merges);
    tree.BuildRooted(own.root);
    for (const size_t child : own.members) {
      if (own.members.size() > 1 && child == own.root) continue;
      auto merge =
          MergeOf(models, child, CandidatesFor(child, family, kinships), own, tree, kinships);
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
