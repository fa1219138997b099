// Which of many known models a model belongs to, and which families there are.
#ifndef TENSORGUARD_TENSORGUARD_CLASSIFY_H_
#define TENSORGUARD_TENSORGUARD_CLASSIFY_H_

#include <cstddef>
#include <memory>
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

namespace internal {
struct ClassifiedModel;
struct FamilyGroups;
}  // namespace internal

struct Classification {
  std::string model = {};  // the name of what was asked about
  // The first candidate and the model have one origin, beyond what chance finds among so many.
  bool known = false;
  std::vector<Candidate> candidates = {};  // highest score first
  // Of a known model what it comes from, nearest first, as far as it is shown which came first.
  std::vector<std::string> lineage = {};
  std::vector<std::string> notes = {};
  // For ClassificationAsJson; never null in what the library returns.
  std::shared_ptr<const internal::ClassifiedModel> details = {};
};

// Compares with every known fingerprint. Errors: kUsage for no known fingerprint; those of Compare.
// Thread-safe. `threads`: 0 for one per processor.
TENSORGUARD_EXPORT Result<Classification> Classify(const Fingerprint& unknown,
                                                   std::span<const Fingerprint> known,
                                                   unsigned threads = 0);

struct ClassifyOptions : FingerprintOptions {};

// Of a model or fingerprint file among `known`: fingerprint files, folders of them, models. Of very
// many, those whose signatures are nearest are compared in full. Known models that cannot be read
// are left out, and told to options.callbacks.on_note. Errors: those of FingerprintModel and
// Classify. Thread-safe.
TENSORGUARD_EXPORT Result<Classification> ClassifyModel(const std::string& model,
                                                        std::span<const std::string> known,
                                                        const ClassifyOptions& options = {});

// The object that `tensorguard classify --json` prints (docs/json.md).
// REQUIRES: a classification that the library returned.
TENSORGUARD_EXPORT std::string ClassificationAsJson(const Classification& classification);

struct Families {
  std::vector<std::string> model_names = {};
  std::vector<size_t> family_of_model = {};  // counted from 0, by each family's first model
  size_t count = 0;
  std::vector<std::string> centers = {};  // of each family the model most like all others of it
  std::optional<double> silhouette = {};  // in [-1, 1]; empty where it is not defined
  // For FamiliesAsJson and FamiliesAsSvg; never null in what the library returns.
  std::shared_ptr<const internal::FamilyGroups> details = {};
};

// Families by average linkage of the scores: models belong together whose mean score is that of a
// derivation. Errors: kMismatch for two models of one name; those of Compare. Thread-safe.
TENSORGUARD_EXPORT Result<Families> FindFamilies(std::span<const Fingerprint> models,
                                                 unsigned threads = 0);

// The object that `tensorguard cluster --json` prints (docs/json.md), and the map of the families.
// REQUIRES: families that the library returned. Errors: those of the drawing library.
TENSORGUARD_EXPORT std::string FamiliesAsJson(const Families& families);
TENSORGUARD_EXPORT Result<std::string> FamiliesAsSvg(const Families& families);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_CLASSIFY_H_
