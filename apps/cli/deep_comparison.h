// The test on the weights of two models, as arguments name them.
#ifndef TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_
#define TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/console.h"
#include "deep_test/independence.h"

namespace tensorguard::cli {

// A model to be tested: `base` is used if it is an adapter.
struct TestedModel {
  std::string path;
  std::optional<std::string> base = {};
};

// Errors: kUsage for a fingerprint file, which holds no weights; those of OpenModel, Network::Build
// and TestIndependence. A tokenizer that cannot be read counts as none.
Result<DeepTest> RunDeepTest(const TestedModel& first, const TestedModel& second, unsigned threads,
                             Console& console);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_DEEP_COMPARISON_H_
