// The full profile of a model.
#ifndef TENSORGUARD_PROFILE_FULL_PROFILE_H_
#define TENSORGUARD_PROFILE_FULL_PROFILE_H_

#include <optional>

#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include "profile/anchor_choice.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FullProfileOptions {
  unsigned threads = 0;  // 0: one per processor
  ProgressCallback on_progress = {};
  // Takes these anchors instead of choosing: those of another model's fingerprint, if the two are
  // known to have one vocabulary though only one has its tokenizer.
  std::optional<ChosenAnchors> anchors = {};
  // Reads at most this many stored bytes of the tensors (PlanWithin), for a first answer: the
  // fingerprint then holds what was read and says so (Fingerprint::quick). Headers, config and
  // tokenizer come on top.
  std::optional<uint64_t> budget_bytes = {};
  // Goes on with a model of which parts are missing (Fingerprint::missing).
  bool incomplete = false;
};

// Reads every weight once, layers side by side, for kernels, sketches and digests together; twice
// only what a latent attention or attention sinks need. Its numbers are those that a fingerprint
// file holds (AsStored). The same for any number of threads. Errors: those of Network::Build, the
// kernels and WeightSummaries; kUnsupported for weights that are a quantiser's codes; kMismatch if
// options.anchors lie beyond the vocabulary; those of PlanWithin; kBadFile, naming
// what is missing, for a model that is not whole (FindMissingParts, FindZeroParts), unless
// options.incomplete.
Result<Fingerprint> ComputeFullFingerprint(const Model& model,
                                           const FullProfileOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FULL_PROFILE_H_
