#include "families/full_classification.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "comparison/score_null.h"
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

// What training changed, squared, over the matrices of one shape; empty where there are none.
std::optional<double> SquaredChange(const SketchComparison& sketches) {
  double sum = 0;
  size_t count = 0;
  for (const SketchPair& pair : sketches.pairs) {
    if (!pair.learned) continue;
    sum += pair.relative_change * pair.relative_change;
    ++count;
  }
  if (count == 0) return {};
  return sum / static_cast<double>(count);
}

bool IsKnown(const KnownCandidate& candidate) {
  const Comparison& comparison = candidate.comparison;
  if (comparison.verdict == Verdict::kIdentical) return true;
  return IsDerivation(comparison.verdict) && candidate.corrected_p_value &&
         *candidate.corrected_p_value <= kFamilyWiseError;
}

// Over the candidates that the model comes from in its own basis; the nearest one alone where there
// are none such.
Result<std::vector<size_t>> LineageOf(const FullClassification& result,
                                      std::span<const FullFingerprint> known) {
  std::vector<const KnownCandidate*> relatives;
  for (const KnownCandidate& each : result.candidates) {
    if (IsKnown(each) && each.comparison.verdict != Verdict::kReparameterised) {
      relatives.push_back(&each);
    }
  }
  const std::vector<size_t> nearest = {result.candidates.front().known};
  if (relatives.empty()) return nearest;

  const size_t count = relatives.size();
  std::vector<std::optional<double>> distances(count * count);
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = a + 1; b < count; ++b) {
      const auto comparison =
          CompareFingerprints(known[relatives[a]->known], known[relatives[b]->known]);
      if (!comparison) return comparison.error();
      if (comparison->verdict == Verdict::kReparameterised) continue;
      distances[a * count + b] = SquaredChange(comparison->sketches);
    }
  }
  const auto distance = [&](size_t a, size_t b) {
    if (b == count) return SquaredChange(relatives[a]->comparison.sketches);
    if (a == count) return SquaredChange(relatives[b]->comparison.sketches);
    return distances[std::min(a, b) * count + std::max(a, b)];
  };
  const auto lineage = TraceLineage(count, distance);
  if (!lineage) return nearest;
  std::vector<size_t> ancestors;
  for (const size_t each : lineage->ancestors) ancestors.push_back(relatives[each]->known);
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

  auto lineage = LineageOf(result, known);
  if (!lineage) return std::move(lineage).error();
  result.lineage = *std::move(lineage);
  std::vector<const FullFingerprint*> parents;
  for (const FullFingerprint& each : known) parents.push_back(&each);
  result.merge = FindMergeParents(unknown, parents);
  return result;
}

}  // namespace tensorguard
