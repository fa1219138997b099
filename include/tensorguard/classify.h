// Which of many known models a model belongs to, and which families there are.
#ifndef TENSORGUARD_TENSORGUARD_CLASSIFY_H_
#define TENSORGUARD_TENSORGUARD_CLASSIFY_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensorguard/compare.h"
#include "tensorguard/export.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard {

// A known model, compared with the unknown one.
struct Candidate {
  size_t known = 0;  // index in the known fingerprints
  std::string model_name = {};
  Verdict verdict = Verdict::kInconclusive;
  std::optional<double> score = {};  // in [0, 1]
  // That any of as many independent models shows as much; empty where nothing with a null was
  // compared.
  std::optional<double> corrected_p_value = {};
};

struct Classification {
  // The first candidate and the model have one origin, beyond what chance finds among so many.
  bool known = false;
  std::vector<Candidate> candidates = {};  // highest score first
};

// Compares with every known fingerprint. Errors: kUsage for no known fingerprint; those of Compare.
// Thread-safe. `threads`: 0 for one per processor.
TENSORGUARD_EXPORT Result<Classification> Classify(const Fingerprint& unknown,
                                                   std::span<const Fingerprint> known,
                                                   unsigned threads = 0);

struct Families {
  std::vector<size_t> family_of_model = {};  // counted from 0, by each family's first model
  size_t count = 0;
  std::optional<double> silhouette = {};  // in [-1, 1]; empty where it is not defined
};

// Families by average linkage of the scores: models belong together whose mean score is that of a
// derivation. Errors: kMismatch for two models of one name; those of Compare. Thread-safe.
TENSORGUARD_EXPORT Result<Families> FindFamilies(std::span<const Fingerprint> models,
                                                 unsigned threads = 0);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_CLASSIFY_H_
