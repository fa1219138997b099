#include "families/merges/family_merges.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "families/lineage/increment_tree.h"
#include "families/merges/change_fit.h"
#include "families/merges/change_regression.h"
#include "families/merges/merge_cover.h"

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
// Of a mixture that is near to one of its parents, how it is stored is more of that distance.
constexpr double kShortMixture = 0.2;
// Where one parent explains as much but for this, the others are not shown.
constexpr double kLeastOfSecond = 0.02;
// A root that others leave no more of is one of their merges.
constexpr double kMostLeftOfRoot = 0.1;
// What it holds of their changes: of a model that holds more, others are nearer to all.
constexpr double kMostHeldByRoot = 1.05;
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
  if (merge.form == MergeForm::kIncrements) return false;
  const bool as_stored = merge.form == MergeForm::kMixture && merge.residual <= kShortMixture &&
                         merge.relative_residual <= kStoredAnew;
  return as_stored || merge.residual <= kPureMixture;
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
  if (!other) return merge;
  const bool as_good = other->residual <= merge->residual + kPureMixture || IsPureMixture(*other);
  return as_good ? other : merge;
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

// `no_parents`: mixtures, which stand for their parents, and what is otherwise known to be merged.
std::vector<size_t> ComparableTo(const std::vector<size_t>& candidates, const OriginOfClass& own,
                                 const std::set<size_t>& no_parents, const Kinships& kinships) {
  std::vector<size_t> comparable;
  for (const size_t candidate : candidates) {
    const bool member =
        std::find(own.members.begin(), own.members.end(), candidate) != own.members.end();
    const Kinship* with_root = kinships.Between(candidate, own.root);
    if (!member || candidate == own.root || with_root->same_function) continue;
    if (no_parents.contains(candidate)) continue;
    if (with_root->distance.value_or(0) <= kNoChange) continue;
    comparable.push_back(candidate);
  }
  return comparable;
}

ChangeProducts ChangesOf(const Fingerprint& model, size_t child, size_t origin,
                         const std::vector<size_t>& candidates, const Kinships& kinships) {
  std::vector<size_t> models = {child};
  models.insert(models.end(), candidates.begin(), candidates.end());
  return ChangeProducts(std::move(models), origin, StoredTensorsOf(model), kinships);
}

// What changes since the root of a class say of its members.
class MergesOfClass {
 public:
  MergesOfClass(const OriginOfClass& own, std::span<const size_t> family, const Kinships& kinships)
      : own_(own), kinships_(kinships), tree_(own.members, kinships, kNoMerges) {
    tree_.BuildRooted(own.root);
    for (const size_t child : own.members) {
      if (own.members.size() > 1 && child == own.root) continue;
      candidates_[child] = CandidatesFor(child, family, kinships);
    }
  }

  // By member: all but a root of several.
  const std::map<size_t, std::vector<size_t>>& candidates() const { return candidates_; }

  // Those of the members that are no mixtures, by the others.
  std::map<size_t, MergeExplanation> ByChanges(std::span<const Fingerprint* const> models,
                                               const std::set<size_t>& mixtures) const {
    std::vector<size_t> members;
    for (const auto& [child, candidates] : candidates_) {
      if (!mixtures.contains(child)) members.push_back(child);
    }
    return CoverByMerges(members, mixtures, [&](size_t child, const std::set<size_t>& no_parents) {
      return ByChanges(*models[child], child, no_parents);
    });
  }

  // What a mixture holds of the root besides two others is no parent's: it is what their changes
  // were added to.
  void LeaveOutRoot(MergeExplanation* mixture) const {
    if (mixture->form != MergeForm::kMixture || mixture->parents.size() < 3) return;
    std::erase_if(mixture->parents,
                  [&](const MergeParent& parent) { return parent.candidate == own_.root; });
  }

 private:
  std::optional<MergeExplanation> ByChanges(const Fingerprint& model, size_t child,
                                            const std::set<size_t>& no_parents) const {
    const auto comparable = ComparableTo(candidates_.at(child), own_, no_parents, kinships_);
    if (comparable.empty()) return {};
    const ChangeProducts changes = ChangesOf(model, child, own_.root, comparable, kinships_);
    auto merge = FindMergeByChanges(changes, DescendantsAmong(comparable, child, own_.root, tree_));
    auto thinned = FindThinned(changes);
    if (!merge) return thinned;
    const bool as_good = thinned && thinned->residual <= merge->residual + kLeastOfSecond;
    if (as_good && !merge->weights_are_even) return thinned;
    const bool continues = std::ranges::any_of(own_.mixtures, [&](size_t mixture) {
      return mixture != child && ContinuesMixture(child, mixture, *merge, tree_, own_.root);
    });
    if (continues) return {};
    return merge;
  }

  static inline const std::map<size_t, std::set<size_t>> kNoMerges = {};

  const OriginOfClass& own_;
  const Kinships& kinships_;
  IncrementTree tree_;
  std::map<size_t, std::vector<size_t>> candidates_ = {};
};

struct Found {
  const MergesOfClass* own = nullptr;
  size_t child = 0;
  MergeExplanation merge = {};
};

}  // namespace

std::set<size_t> MixturesIn(std::span<const Fingerprint* const> models,
                            std::span<const size_t> family, const Kinships& kinships) {
  std::set<size_t> mixtures;
  for (const size_t child : family) {
    const auto merge = MixtureOf(models, child, CandidatesFor(child, family, kinships));
    if (merge && IsPureMixture(*merge)) mixtures.insert(child);
  }
  return mixtures;
}

bool IsMergedRoot(std::span<const Fingerprint* const> models, size_t root,
                  std::span<const size_t> members, const Kinships& kinships) {
  return std::ranges::any_of(members, [&](size_t origin) {
    if (origin == root || kinships.Between(root, origin)->same_function) return false;
    std::vector<size_t> others;
    for (const size_t member : members) {
      const bool apart =
          member != root && member != origin && !kinships.Between(member, origin)->same_function;
      if (apart) others.push_back(member);
    }
    if (others.size() < 2) return false;
    const auto merge =
        FindMergeByChanges(ChangesOf(*models[root], root, origin, others, kinships), {});
    if (!merge || !merge->weights_are_even || merge->residual > kMostLeftOfRoot) return false;
    double held = 0;
    for (const MergeParent& parent : merge->parents) held += parent.weight;
    return held <= kMostHeldByRoot;
  });
}

std::map<size_t, MergeExplanation> MergesIn(std::span<const Fingerprint* const> models,
                                            std::span<const size_t> family,
                                            std::span<const OriginOfClass> origins,
                                            const std::set<size_t>& mixtures,
                                            const Kinships& kinships) {
  std::vector<MergesOfClass> classes;
  for (const OriginOfClass& own : origins) classes.emplace_back(own, family, kinships);
  std::set<size_t> merged = mixtures;
  std::vector<Found> found;
  for (const MergesOfClass& own : classes) {
    for (auto& [child, merge] : own.ByChanges(models, mixtures)) {
      merged.insert(child);
      found.push_back({&own, child, std::move(merge)});
    }
  }
  for (const MergesOfClass& own : classes) {
    for (const auto& [child, candidates] : own.candidates()) {
      auto mixture = MixtureOfUnmixed(models, child, candidates, merged);
      if (!mixture) continue;
      std::erase_if(found, [&](const Found& other) { return other.child == child; });
      found.push_back({&own, child, *std::move(mixture)});
    }
  }
  // The best explained first: what would close a circle after it is none.
  std::ranges::stable_sort(found, {}, [](const Found& each) { return each.merge.residual; });
  std::map<size_t, MergeExplanation> merges;
  for (auto& [own, child, merge] : found) {
    if (!IsPossible(child, merge, kinships, merges)) continue;
    own->LeaveOutRoot(&merge);
    merges.emplace(child, std::move(merge));
  }
  return merges;
}

}  // namespace tensorguard::internal
