#include "families/full_classification.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/parallel.h"
#include "comparison/score_null.h"
#include "comparison/weight_pairs.h"
#include "families/lineage.h"

namespace tensorguard {
namespace {

// Highest score first; without one last; of equal ones the order of the known models.
bool Nearer(const KnownCandidate& a, const KnownCandidate& b) {
  const auto key = [](const KnownCandidate& each) { return each.comparison.score.value_or(-1); };
  return key(a) > key(b);
}

Result<std::vector<KnownCandidate>> CompareWithAll(const FullFingerprint& unknown,
                                                   std::span<const FullFingerprint> known,
                                                   unsigned threads) {
  std::vector<KnownCandidate> candidates(known.size());
  auto done = ParallelFor(known.size(), threads, [&](size_t i) -> Result<void> {
    auto comparison = CompareFingerprints(unknown, known[i]);
    if (!comparison) return std::move(comparison).error();
    candidates[i] = {.known = i, .comparison = *std::move(comparison)};
    return {};
  });
  if (!done) return std::move(done).error();
  for (KnownCandidate& each : candidates) {
    if (!each.comparison.score) continue;
    each.corrected_p_value =
        CorrectedForCandidates(IndependentTail(*each.comparison.score), known.size());
  }
  std::stable_sort(candidates.begin(), candidates.end(), Nearer);
  return candidates;
}

bool IsKnown(const KnownCandidate& candidate) {
  const Comparison& comparison = candidate.comparison;
  if (comparison.verdict == Verdict::kIdentical) return true;
  return IsDerivation(comparison.verdict) && candidate.corrected_p_value &&
         *candidate.corrected_p_value <= kFamilyWiseError;
}

size_t LearnedMatrices(const FullFingerprint& model) {
  return std::count_if(model.weights.begin(), model.weights.end(), IsLearnedMatrix);
}

// The mean squared change of the learned matrices; empty unless each has its counterpart in the
// same basis, because distances over different matrices do not add up.
std::optional<double> SquaredChange(const FullFingerprint& a, const FullFingerprint& b,
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

// What the known relatives are to each other.
struct Kinship {
  std::vector<std::optional<double>> squared_changes;  // [a * count + b], a < b
  std::vector<bool> is_later;  // it was made from others of them by more than training
};

// Vocabularies are changed in few models of a family: those whose size is not the most frequent
// one.
void MarkOtherVocabularies(const std::vector<KnownCandidate>& relatives,
                           std::span<const FullFingerprint> known, Kinship* kinship) {
  std::map<uint64_t, size_t> models_of_size;
  for (const KnownCandidate& each : relatives) ++models_of_size[known[each.known].vocabulary_size];
  size_t most = 0;
  for (const auto& [size, models] : models_of_size) most = std::max(most, models);
  for (size_t i = 0; i < relatives.size(); ++i) {
    if (models_of_size[known[relatives[i].known].vocabulary_size] < most) {
      kinship->is_later[i] = true;
    }
  }
}

void MarkMerges(const std::vector<KnownCandidate>& relatives,
                std::span<const FullFingerprint> known, Kinship* kinship) {
  for (size_t child = 0; child < relatives.size(); ++child) {
    std::vector<const FullFingerprint*> others;
    for (size_t i = 0; i < relatives.size(); ++i) {
      if (i != child) others.push_back(&known[relatives[i].known]);
    }
    if (FindMergeParents(known[relatives[child].known], others)) kinship->is_later[child] = true;
  }
}

Result<Kinship> CompareRelatives(const std::vector<KnownCandidate>& relatives,
                                 std::span<const FullFingerprint> known) {
  const size_t count = relatives.size();
  Kinship kinship = {std::vector<std::optional<double>>(count * count), std::vector<bool>(count)};
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = a + 1; b < count; ++b) {
      const FullFingerprint& first = known[relatives[a].known];
      const FullFingerprint& second = known[relatives[b].known];
      const auto comparison = CompareFingerprints(first, second);
      if (!comparison) return comparison.error();
      kinship.squared_changes[a * count + b] = SquaredChange(first, second, *comparison);
      if (comparison->derived) kinship.is_later[*comparison->derived == Side::kA ? a : b] = true;
    }
  }
  MarkOtherVocabularies(relatives, known, &kinship);
  MarkMerges(relatives, known, &kinship);
  return kinship;
}

// A model that was made from others stands behind them unless it is nearer by more than this: what
// does not touch the layers (another vocabulary) leaves it as near as its origin.
constexpr double kClearlyNearer = 0.9;

// By the weights, or by the score where those cannot be subtracted.
size_t NearestRelative(const FullFingerprint& unknown, const std::vector<KnownCandidate>& relatives,
                       std::span<const FullFingerprint> known, const Kinship& kinship) {
  std::vector<std::optional<double>> distances;
  for (const KnownCandidate& each : relatives) {
    distances.push_back(SquaredChange(unknown, known[each.known], each.comparison));
  }
  const bool by_weights = std::any_of(distances.begin(), distances.end(),
                                      [](const auto& distance) { return distance.has_value(); });
  std::optional<size_t> nearest;
  double shortest = 0;
  for (size_t i = 0; i < relatives.size(); ++i) {
    const auto distance =
        by_weights ? distances[i] : std::optional(1 - *relatives[i].comparison.score);
    if (!distance) continue;
    const double weighed = kinship.is_later[i] ? *distance / kClearlyNearer : *distance;
    if (nearest && (weighed > shortest || (weighed == shortest && kinship.is_later[i]))) continue;
    if (nearest && weighed == shortest && !kinship.is_later[*nearest]) continue;
    nearest = i;
    shortest = weighed;
  }
  return *nearest;
}

// Models that were made from others of the family by more than training are no ancestors, unless
// one is the nearest.
Result<std::vector<size_t>> LineageOf(const FullFingerprint& unknown,
                                      const FullClassification& result,
                                      std::span<const FullFingerprint> known) {
  std::vector<KnownCandidate> relatives;
  std::copy_if(result.candidates.begin(), result.candidates.end(), std::back_inserter(relatives),
               IsKnown);
  const auto kinship = CompareRelatives(relatives, known);
  if (!kinship) return kinship.error();
  const size_t nearest = NearestRelative(unknown, relatives, known, *kinship);
  std::vector<size_t> tree = {nearest};
  for (size_t i = 0; i < relatives.size(); ++i) {
    if (i != nearest && !kinship->is_later[i]) tree.push_back(i);
  }
  const auto distance = [&](size_t a, size_t b) {
    const auto [low, high] = std::minmax(tree[a], tree[b]);
    return kinship->squared_changes[low * relatives.size() + high];
  };
  std::vector<size_t> ancestors;
  for (const size_t each : TraceLineage(tree.size(), 0, distance)) {
    ancestors.push_back(relatives[tree[each]].known);
  }
  return ancestors;
}

}  // namespace

bool IsDerivation(Verdict verdict) {
  return verdict == Verdict::kIdentical || verdict == Verdict::kDerived ||
         verdict == Verdict::kReparameterised;
}

Result<FullClassification> ClassifyFingerprint(const FullFingerprint& unknown,
                                               std::span<const FullFingerprint> known,
                                               unsigned threads) {
  if (known.empty()) {
    return Error{.kind = ErrorKind::kUsage, .problem = "there is no known model to compare with"};
  }
  auto candidates = CompareWithAll(unknown, known, threads);
  if (!candidates) return std::move(candidates).error();
  FullClassification result = {.candidates = *std::move(candidates)};
  result.known = IsKnown(result.candidates.front());
  if (!result.known) return result;

  auto lineage = LineageOf(unknown, result, known);
  if (!lineage) return std::move(lineage).error();
  result.lineage = *std::move(lineage);
  std::vector<const FullFingerprint*> parents;
  for (const FullFingerprint& each : known) parents.push_back(&each);
  result.merge = FindMergeParents(unknown, parents);
  return result;
}

}  // namespace tensorguard
