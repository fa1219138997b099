#include "families/lineage.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "comparison/weight_pairs.h"

namespace tensorguard::internal {
namespace {

// Below this relative difference of squared norms none of two models is the later one.
constexpr double kEqualNorms = 1e-4;

// A model that came after others by its build stands behind them unless it is nearer than this
// share of their distance: what does not touch the layers (another vocabulary) leaves it as near as
// its origin.
constexpr double kClearlyNearer = 0.5;

// Mean squared change of the learned matrices; empty unless each has its counterpart in the same
// basis, because changes of different matrices are no measure for each other.
std::optional<double> SquaredChange(const Fingerprint& a, const Fingerprint& b,
                                    const Comparison& comparison) {
  if (comparison.verdict == Verdict::kReparameterised) return {};
  double sum = 0;
  size_t count = 0;
  for (const SketchPair& pair : comparison.sketches.pairs) {
    if (!pair.learned) continue;
    sum += pair.relative_change * pair.relative_change;
    ++count;
  }
  if (count == 0 || count != LearnedMatrices(a) || count != LearnedMatrices(b)) return {};
  return sum / static_cast<double>(count);
}

double SquaredNorm(const Fingerprint& model) {
  double sum = 0;
  for (const WeightSummary& weight : model.weights) {
    if (IsLearnedMatrix(weight)) sum += weight.norm * weight.norm;
  }
  return sum;
}

// What two models of a family are to each other.
struct Kinship {
  std::optional<double> squared_change;
  std::optional<Side> later;  // by a finding
};

Kinship KinshipOf(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison) {
  return {SquaredChange(a, b, comparison), comparison.derived};
}

// The relatives, and how they stand to each other.
struct Family {
  std::span<const Fingerprint> known;
  std::span<const Relative> relatives;
  std::vector<std::optional<double>> squared_changes;  // [a * size + b]
  std::vector<bool> is_later;                          // came after another relative by its build

  size_t size() const { return relatives.size(); }
  const Fingerprint& model(size_t i) const { return known[relatives[i].known]; }
  // Relatives whose weights can be held against those of `i`, itself included.
  size_t Comparable(size_t i) const {
    size_t count = 1;
    for (size_t j = 0; j < size(); ++j) count += squared_changes[i * size() + j].has_value();
    return count;
  }
};

Result<void> CompareRelatives(Family* family, unsigned threads) {
  const size_t count = family->size();
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = a + 1; b < count; ++b) pairs.emplace_back(a, b);
  }
  std::vector<Kinship> kinships(pairs.size());
  auto done = ParallelFor(pairs.size(), threads, [&](size_t i) -> Result<void> {
    const Fingerprint& a = family->model(pairs[i].first);
    const Fingerprint& b = family->model(pairs[i].second);
    TG_ASSIGN(const auto comparison, CompareFingerprints(a, b));
    kinships[i] = KinshipOf(a, b, comparison);
    return {};
  });
  if (!done) return done;
  family->squared_changes.resize(count * count);
  family->is_later.resize(count);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [a, b] = pairs[i];
    family->squared_changes[a * count + b] = kinships[i].squared_change;
    family->squared_changes[b * count + a] = kinships[i].squared_change;
    if (kinships[i].later) family->is_later[*kinships[i].later == Side::kA ? a : b] = true;
  }
  return {};
}

// Vocabularies are changed in few models of a family: those whose size is not the most frequent
// one.
void MarkOtherVocabularies(Family* family) {
  std::map<uint64_t, size_t> models_of_size;
  for (size_t i = 0; i < family->size(); ++i) ++models_of_size[family->model(i).vocabulary_size];
  size_t most = 0;
  for (const auto& [size, models] : models_of_size) most = std::max(most, models);
  for (size_t i = 0; i < family->size(); ++i) {
    if (models_of_size[family->model(i).vocabulary_size] < most) family->is_later[i] = true;
  }
}

void MarkMerges(Family* family) {
  for (size_t child = 0; child < family->size(); ++child) {
    std::vector<const Fingerprint*> others;
    for (size_t i = 0; i < family->size(); ++i) {
      if (i != child) others.push_back(&family->model(i));
    }
    if (FindMergeParents(family->model(child), others)) family->is_later[child] = true;
  }
}

// Whether the unknown model is among what `relative` was merged from.
bool IsMergedFrom(const Fingerprint& unknown, size_t relative, const Family& family) {
  std::vector<const Fingerprint*> others = {&unknown};
  for (size_t i = 0; i < family.size(); ++i) {
    if (i != relative) others.push_back(&family.model(i));
  }
  const auto merge = FindMergeParents(family.model(relative), others);
  return merge && std::any_of(merge->parents.begin(), merge->parents.end(),
                              [](const MergeParent& parent) { return parent.candidate == 0; });
}

// How far the unknown model is from a relative that may be its parent.
struct ParentCandidate {
  size_t relative = 0;
  std::optional<double> squared_change;
  bool comes_after = false;  // after the unknown model: a child rather than a parent
};

std::vector<ParentCandidate> ParentCandidates(const Fingerprint& unknown, const Family& family) {
  std::vector<ParentCandidate> candidates;
  for (size_t i = 0; i < family.size(); ++i) {
    const Kinship kinship = KinshipOf(unknown, family.model(i), *family.relatives[i].with_unknown);
    ParentCandidate candidate = {.relative = i, .squared_change = kinship.squared_change};
    if (kinship.later) {
      candidate.comes_after = *kinship.later == Side::kB;
    } else if (kinship.squared_change) {
      candidate.comes_after =
          SquaredNorm(family.model(i)) > SquaredNorm(unknown) * (1 + kEqualNorms);
    }
    // A vocabulary that was changed is not changed back.
    if (family.is_later[i] && family.model(i).vocabulary_size != unknown.vocabulary_size) {
      candidate.comes_after = true;
    }
    if (!candidate.comes_after) candidate.comes_after = IsMergedFrom(unknown, i, family);
    candidates.push_back(candidate);
  }
  return candidates;
}

size_t DirectParent(const Family& family, const std::vector<ParentCandidate>& candidates) {
  const ParentCandidate* best = nullptr;
  const auto weighed = [&](const ParentCandidate& each) {
    return family.is_later[each.relative] ? *each.squared_change / kClearlyNearer
                                          : *each.squared_change;
  };
  for (const ParentCandidate& each : candidates) {
    if (each.comes_after || !each.squared_change) continue;
    if (best == nullptr || weighed(each) < weighed(*best)) best = &each;
  }
  if (best != nullptr) return best->relative;
  // No weights to go by, or all come after it: the first by score, rather one of the usual build.
  for (const ParentCandidate& each : candidates) {
    if (!each.comes_after && !family.is_later[each.relative]) return each.relative;
  }
  return candidates.front().relative;
}

// Norms tell which of two models came first only where their weights are counterparts.
size_t RootOf(const Family& family, size_t parent) {
  size_t most = 0;
  for (size_t i = 0; i < family.size(); ++i) most = std::max(most, family.Comparable(i));
  const auto may_be_root = [&](size_t i) {
    return !family.is_later[i] && 2 * family.Comparable(i) >= most;
  };
  std::optional<size_t> root;
  if (may_be_root(parent)) root = parent;
  for (size_t i = 0; i < family.size(); ++i) {
    if (!may_be_root(i)) continue;
    if (root && !family.squared_changes[*root * family.size() + i]) continue;
    if (!root || SquaredNorm(family.model(i)) < SquaredNorm(family.model(*root))) root = i;
  }
  return root.value_or(parent);
}

}  // namespace

Result<std::vector<size_t>> TraceLineage(const Fingerprint& unknown,
                                         std::span<const Fingerprint> known,
                                         std::span<const Relative> relatives, unsigned threads) {
  assert(!relatives.empty());
  Family family = {.known = known, .relatives = relatives, .squared_changes = {}, .is_later = {}};
  if (auto compared = CompareRelatives(&family, threads); !compared)
    return std::move(compared).error();
  MarkOtherVocabularies(&family);
  MarkMerges(&family);
  const auto candidates = ParentCandidates(unknown, family);
  const size_t parent = DirectParent(family, candidates);
  const size_t root = RootOf(family, parent);
  std::vector<size_t> lineage = {relatives[parent].known};
  if (root != parent) lineage.push_back(relatives[root].known);
  return lineage;
}

}  // namespace tensorguard::internal
