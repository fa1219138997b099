// The verdict of the fingerprints together with the test on the weights.
#ifndef TENSORGUARD_DEEP_TEST_DEEP_VERDICT_H_
#define TENSORGUARD_DEEP_TEST_DEEP_VERDICT_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "deep_test/independence.h"

namespace tensorguard {

// The p-value below which the test decides that weights have a common origin: the same as for
// sketches (comparison/thresholds.h). Above kInsignificantP it says nothing for it.
inline constexpr double kCommonOriginLog10P = -6;
inline constexpr double kInsignificantLog10P = -4;

struct DeepVerdict {
  Verdict verdict = Verdict::kInconclusive;
  std::vector<std::string> notes = {};  // where the test and the fingerprints do not say the same
};

// The test tells a common origin of weights from none, functions tell derivation from a common
// start. So a small p-value turns "independent" into "shared initialisation", and "inconclusive"
// into "derived" where the functions are nearer than those of independent models; a large one never
// takes back what the fingerprints show.
DeepVerdict JudgeWithTest(const Comparison& comparison, const DeepTest& test);

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_DEEP_VERDICT_H_
