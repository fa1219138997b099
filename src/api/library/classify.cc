#include "tensorguard/classify.h"

#include <utility>

#include "api/family_groups.h"
#include "api/library/caller_session.h"
#include "api/library/comparison.h"
#include "base/try.h"
#include "comparison/thresholds.h"
#include "families/full_classification.h"

namespace tensorguard {

Classification internal::PublicClassification(const FullClassification& result,
                                              std::span<const Fingerprint> known) {
  tensorguard::Classification classification = {.known = result.known};
  for (const KnownCandidate& each : result.candidates) {
    classification.candidates.push_back({.known = each.known,
                                         .model_name = known[each.known].model_name,
                                         .verdict = each.comparison.verdict,
                                         .score = each.comparison.score,
                                         .corrected_p_value = each.corrected_p_value});
  }
  return classification;
}

Result<Classification> Classify(const Fingerprint& unknown, std::span<const Fingerprint> known,
                                unsigned threads) {
  std::vector<internal::Fingerprint> fingerprints;
  for (const Fingerprint& each : known) fingerprints.push_back(each.data());
  TG_ASSIGN(const auto result,
            internal::ClassifyFingerprint(unknown.data(), fingerprints, {.threads = threads}));
  return internal::PublicClassification(result, fingerprints);
}

Result<Families> FindFamilies(std::span<const Fingerprint> models, unsigned threads) {
  std::vector<internal::Fingerprint> fingerprints;
  for (const Fingerprint& each : models) fingerprints.push_back(each.data());
  const ReadOptions nothing_said;
  const internal::CallerSession session(nothing_said);
  TG_ASSIGN(const auto similarities,
            internal::CompareAll(fingerprints, threads, session.listener()));
  internal::Families families = internal::FindFamilies(similarities, internal::kDerivedScore);
  return Families{.family_of_model = std::move(families.family_of_model),
                  .count = families.count,
                  .silhouette = families.silhouette};
}

}  // namespace tensorguard
