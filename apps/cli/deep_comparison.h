// The test on the weights of two models, as arguments name them.
#ifndef TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_
#define TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/console.h"
#include "comparison/compare_fingerprints.h"
#include "deep_test/deep_evidence.h"
#include "deep_test/independence.h"
#include "full_profile/full_fingerprint.h"

namespace tensorguard::cli {

// A model to be tested: `base` is used if it is an adapter. The fingerprint is the model's own.
struct TestedModel {
  std::string path;
  std::optional<std::string> base = {};
  const FullFingerprint& fingerprint;
};

struct TestedPair {
  DeepTest test;
  GatheredEvidence gathered;
};

// Errors: kUsage for a fingerprint file, which holds no weights; those of OpenModel,
// Network::Build, TestIndependence and GatherEvidence. A tokenizer that cannot be read counts as
// none.
Result<TestedPair> RunDeepTest(const TestedModel& first, const TestedModel& second,
                               const Comparison& comparison, unsigned threads, Console& console);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_
