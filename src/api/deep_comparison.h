// The test on the weights of two models, as arguments name them.
#ifndef TENSORGUARD_API_DEEP_COMPARISON_H_
#define TENSORGUARD_API_DEEP_COMPARISON_H_

#include <optional>
#include <string>

#include "api/session.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "independence/deep_evidence.h"
#include "independence/independence.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A model to be tested: `base` is used if it is an adapter. The fingerprint is the model's own.
struct TestedModel {
  std::string path;
  std::optional<std::string> base = {};
  const Fingerprint& fingerprint;
};

struct TestedPair {
  DeepTest test;
  GatheredEvidence gathered;
};

// Errors: kUsage for a fingerprint file, which holds no weights; those of OpenModel,
// Network::Build, TestIndependence and GatherDeepEvidence. A tokenizer that cannot be read counts
// as none.
Result<TestedPair> RunDeepTest(const TestedModel& first, const TestedModel& second,
                               const Comparison& comparison, unsigned threads,
                               const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_DEEP_COMPARISON_H_
