#include "families/full_classification.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/try.h"
#include "comparison/independent_tail.h"

namespace tensorguard::internal {
namespace {

// Highest score first; without one last; of equal ones the order of the known models.
bool Nearer(const KnownCandidate& a, const KnownCandidate& b) {
  const auto key = [](const KnownCandidate& each) { return each.comparison.score.value_or(-1); };
  return key(a) > key(b);
}

Result<std::vector<KnownCandidate>> CompareWithAll(const Fingerprint& unknown,
                                                   std::span<const Fingerprint> known,
                                                   size_t independent, unsigned threads) {
  std::vector<KnownCandidate> candidates(known.size());
  const NormalisedModel asked(unknown);
  auto done = ParallelFor(known.size(), threads, [&](size_t i) -> Result<void> {
    TG_ASSIGN(auto comparison, CompareFingerprints(asked, known[i]));
    candidates[i] = {.known = i, .comparison = std::move(comparison)};
    return {};
  });
  if (!done) return std::move(done).error();
  for (KnownCandidate& each : candidates) {
    if (!each.comparison.p_value) continue;
    each.corrected_p_value = CorrectedForCandidates(*each.comparison.p_value, independent);
  }
  std::stable_sort(candidates.begin(), candidates.end(), Nearer);
  return candidates;
}

bool IsRelative(const KnownCandidate& candidate) {
  const Comparison& comparison = candidate.comparison;
  if (comparison.verdict == Verdict::kIdentical) return true;
  return IsDerivation(comparison.verdict) && candidate.corrected_p_value &&
         *candidate.corrected_p_value <= kFamilyWiseError;
}

// A merge may have parents that are of no family with it by themselves.
void AddMergeWithOthers(const Fingerprint& unknown, std::span<const Fingerprint> known,
                        std::span<const Relative> relatives, PlaceInFamily* place) {
  if (relatives.size() == known.size()) return;
  std::vector<const Fingerprint*> all;
  for (const Fingerprint& each : known) all.push_back(&each);
  auto merge = FindMergeParents(unknown, all);
  if (!merge) return;
  const bool with_others =
      std::any_of(merge->parents.begin(), merge->parents.end(), [&](const MergeParent& parent) {
        return std::none_of(relatives.begin(), relatives.end(), [&](const Relative& relative) {
          return relative.known == parent.candidate;
        });
      });
  if (!with_others) return;
  place->lineage = {merge->parents.front().candidate};
  place->certainty = 1 - merge->residual / 2;
  place->merge = std::move(merge);
}

}  // namespace

Result<FullClassification> ClassifyFingerprint(const Fingerprint& unknown,
                                               std::span<const Fingerprint> known,
                                               const ClassificationOptions& options) {
  if (known.empty()) {
    return Error{.kind = ErrorKind::kUsage, .problem = "there is no known model to compare with"};
  }
  const size_t known_models = std::max(known.size(), options.known_models);
  const size_t independent =
      options.independent_candidates > 0 ? options.independent_candidates : known_models;
  TG_ASSIGN(auto candidates, CompareWithAll(unknown, known, independent, options.threads));
  FullClassification result = {.known_models = known_models,
                               .independent_candidates = independent,
                               .candidates = std::move(candidates)};
  for (KnownCandidate& each : result.candidates) each.relative = IsRelative(each);
  result.known = result.candidates.front().relative;
  if (!result.known) return result;

  std::vector<Relative> relatives;
  for (const KnownCandidate& each : result.candidates) {
    if (relatives.size() == kMostRelatives) break;
    if (!each.relative) continue;
    relatives.push_back({.known = each.known, .with_unknown = &each.comparison});
  }
  TG_ASSIGN(auto place, FindPlaceInFamily(unknown, known, relatives, options.threads));
  if (!place.merge) AddMergeWithOthers(unknown, known, relatives, &place);
  result.place = std::move(place);
  return result;
}

}  // namespace tensorguard::internal
