// Where a model comes from among known ones by the full profile, or that it is unknown.
#ifndef TENSORGUARD_API_CLASSIFICATION_H_
#define TENSORGUARD_API_CLASSIFICATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/merges.h"
#include "api/reading/gathering.h"
#include "api/registry/registry_search.h"
#include "api/session.h"
#include "families/full_classification.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ClassificationRequest {
  std::string model;
  std::optional<std::string> base = {};      // where the model is an adapter
  std::vector<std::string> known = {};       // fingerprints, folders of them, models, registries
  std::optional<uint64_t> quick_bytes = {};  // the most that is read of each model's tensors
  bool incomplete = false;                   // goes on with models that are not whole
  unsigned threads = 0;                      // 0: one per processor
};

struct ClassifiedModel {
  Fingerprint unknown;
  std::vector<Fingerprint> known;  // those that were compared in full
  FullClassification result;
  Shortfall shortfall = {};     // of the known models
  SearchSummary searched = {};  // of the registries among them
  ExactFiles exact = {};        // of these

  const KnownCandidate& best() const { return result.candidates.front(); }
  const std::string& NameOf(size_t index) const { return known[index].model_name; }
};

// A known model that cannot be read is in the shortfall. Errors: those of CheckBase, FingerprintOf
// and ClassifyFingerprint.
Result<ClassifiedModel> ClassifyModel(const ClassificationRequest& request, const Session& session);

// Of fingerprints at hand, all of which are compared. Errors: those of ClassifyFingerprint.
Result<ClassifiedModel> ClassifyPrint(Fingerprint unknown, std::vector<Fingerprint> known,
                                      unsigned threads);

// The model as a merge of known ones, if it is one.
std::optional<NamedMerge> MergeOf(const ClassifiedModel& model);

// The direct parent first, then what it came from, as far as it is shown which of two came first;
// none if that is not shown, and if the model is unknown. Raw.
std::vector<std::string> LineageNames(const ClassifiedModel& model);

// Of a known model: what it comes from, or of whose family it is and who is closest. Raw.
std::string PlaceText(const ClassifiedModel& model);

// What the best candidate's comparison found; about an unknown model only why it is none. Names are
// raw.
std::vector<std::string> NotesOf(const ClassifiedModel& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_CLASSIFICATION_H_
