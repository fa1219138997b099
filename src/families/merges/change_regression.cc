#include "families/merges/change_regression.h"

#include <algorithm>
#include <vector>

#include "comparison/thresholds.h"
#include "families/merges/change_fit.h"

namespace tensorguard::internal {
namespace {

// docs/lineage.md#merges. Two parents of a merge went different ways from their origin; merges of
// the same models did not.
constexpr double kMostCommonWay = 0.4;

// Of the squared change of a merge. Of less, siblings that learned alike explain as much.
constexpr double kLeastExplained = 0.15;
// Of the squared change of what was thinned.
constexpr double kLeastOfThinned = 0.5;

bool GoesAnotherWay(const ChangeProducts& changes, const std::vector<size_t>& members,
                    size_t candidate) {
  return std::ranges::all_of(members, [&](size_t member) {
    return member != candidate && changes.Cosine(member, candidate) <= kMostCommonWay;
  });
}

// The one of `fits` that is supported and explains most, if it does more than `least`.
class BestFit {
 public:
  BestFit(const ChangeProducts& changes, double least) : changes_(changes), least_(least) {}

  void Try(const std::vector<size_t>& members) {
    auto fit = FitTo(changes_, members);
    if (!fit || fit->explained < least_ || (best_ && fit->explained <= best_->explained)) return;
    if (IsSupported(changes_, *fit)) best_ = std::move(fit);
  }

  std::optional<ChangeFit> Get() { return std::move(best_); }

 private:
  const ChangeProducts& changes_;
  double least_;
  std::optional<ChangeFit> best_ = {};
};

// A merge is near to what was merged otherwise from the same models, nearer than to these: so the
// best two are looked for, not the best one and then another.
std::optional<ChangeFit> BestTwo(const ChangeProducts& changes,
                                 const std::vector<size_t>& candidates) {
  BestFit best(changes, kLeastIncrement);
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!GoesAnotherWay(changes, {candidates[i]}, candidates[j])) continue;
      best.Try({candidates[i], candidates[j]});
    }
  }
  return best.Get();
}

std::optional<ChangeFit> BestWithOneMore(const ChangeProducts& changes, const ChangeFit& fit,
                                         const std::vector<size_t>& candidates) {
  BestFit best(changes, fit.explained);
  for (const size_t candidate : candidates) {
    if (!GoesAnotherWay(changes, fit.members, candidate)) continue;
    std::vector<size_t> members = fit.members;
    members.push_back(candidate);
    best.Try(members);
  }
  return best.Get();
}

// Adds what explains most of what is left, while it does. The largest such sum that is even: one
// of fewer need not be.
ChangeFit Grow(const ChangeProducts& changes, const ChangeFit& start,
               const std::vector<size_t>& candidates) {
  ChangeFit even = start;
  auto fit = start.members.empty() ? BestTwo(changes, candidates)
                                   : BestWithOneMore(changes, start, candidates);
  while (fit) {
    if (IsEven(changes, *fit)) even = *fit;
    if (fit->members.size() == kMostParents) break;
    fit = BestWithOneMore(changes, *fit, candidates);
  }
  return even;
}

// What two models have in common lies between them whether they came from it or it was merged from
// them. What came from it was trained, and that leaves no even rest.
std::optional<ChangeFit> FitAmong(const ChangeProducts& changes, const std::vector<size_t>& others,
                                  const std::vector<size_t>& all) {
  const ChangeFit of_others = Grow(changes, {}, others);
  ChangeFit of_all = Grow(changes, {}, all);
  const bool even = of_all.members.size() >= 2 && RestIsEven(changes, of_all);
  if (even && of_all.explained >= of_others.explained) return of_all;
  if (of_others.members.size() >= 2) return Grow(changes, of_others, all);
  if (of_all.members.size() < 2 || of_all.explained < kWhollyExplained) return std::nullopt;
  return of_all;
}

MergeExplanation ExplanationOf(const ChangeProducts& changes, const ChangeFit& fit) {
  MergeExplanation merge{.form = MergeForm::kIncrements,
                         .residual = std::max(0.0, 1 - fit.explained),
                         .rest_is_even = RestIsEven(changes, fit),
                         .weights_are_even = WeightsAreEven(changes, fit)};
  for (size_t i = 0; i < fit.members.size(); ++i) {
    merge.parents.push_back({.candidate = changes.model(fit.members[i]),
                             .weight = fit.weights(i),
                             .error = fit.errors(i)});
  }
  std::stable_sort(merge.parents.begin(), merge.parents.end(),
                   [](const MergeParent& x, const MergeParent& y) { return x.weight > y.weight; });
  return merge;
}

}  // namespace

std::optional<MergeExplanation> FindMergeByChanges(const ChangeProducts& changes,
                                                   std::span<const size_t> descendants) {
  std::vector<size_t> all;
  std::vector<size_t> others;
  for (size_t place = 1; place < changes.size(); ++place) {
    all.push_back(place);
    const bool below = std::find(descendants.begin(), descendants.end(), changes.model(place)) !=
                       descendants.end();
    if (!below) others.push_back(place);
  }
  const auto fit = FitAmong(changes, others, all);
  if (!fit || fit->explained < kLeastExplained) return std::nullopt;
  return ExplanationOf(changes, *fit);
}

std::optional<MergeExplanation> FindThinned(const ChangeProducts& changes) {
  BestFit best(changes, kLeastOfThinned);
  for (size_t place = 1; place < changes.size(); ++place) {
    const auto fit = FitTo(changes, {place});
    if (fit && IsThinned(changes, *fit)) best.Try({place});
  }
  const auto fit = best.Get();
  if (!fit) return std::nullopt;
  return ExplanationOf(changes, *fit);
}

}  // namespace tensorguard::internal
