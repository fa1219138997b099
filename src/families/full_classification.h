// Which of the known models a model belongs to, and where it stands among them, by the full
// profile.
#ifndef TENSORGUARD_FAMILIES_FULL_CLASSIFICATION_H_
#define TENSORGUARD_FAMILIES_FULL_CLASSIFICATION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "families/lineage/place_in_family.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct KnownCandidate {
  size_t known = 0;       // index in the known fingerprints
  Comparison comparison;  // of the unknown model with it
  // That any of as many independent candidates shows as much as was found (Comparison::p_value):
  // docs/calibration.md. Empty where nothing with a null was compared.
  std::optional<double> corrected_p_value = {};
  bool relative = false;  // of one family with the unknown model, beyond what chance finds
};

struct FullClassification {
  size_t known_models = 0;            // candidates, whether or not they were compared in full
  size_t independent_candidates = 0;  // that p-values are corrected for
  // The first candidate and the model are of one family, beyond what chance finds among so many.
  bool known = false;
  std::vector<KnownCandidate> candidates;  // highest score first; those without one last
  // Of a known model: where it stands among those of its family, indices in the known fingerprints.
  std::optional<PlaceInFamily> place = {};
};

struct ClassificationOptions {
  unsigned threads = 0;  // 0: one per processor
  // How many known models there were, of which `known` are the nearest by ShortlistOf; 0: these.
  size_t known_models = 0;
  // How many of them are independent of one another; 0: all. Copies of one model are one chance.
  size_t independent_candidates = 0;
};

// Compares with every known fingerprint. A verdict of derivation counts only if the p-value,
// corrected for the number of independent candidates, is below kFamilyWiseError. Errors: kUsage for
// no known fingerprint; those of CompareFingerprints.
Result<FullClassification> ClassifyFingerprint(const Fingerprint& unknown,
                                               std::span<const Fingerprint> known,
                                               const ClassificationOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_FULL_CLASSIFICATION_H_
