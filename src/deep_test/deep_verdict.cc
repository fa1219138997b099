#include "deep_test/deep_verdict.h"

#include <fmt/format.h>

#include "comparison/thresholds.h"

namespace tensorguard {
namespace {

bool ShowsCommonOrigin(const DeepTest& test) {
  return test.log10_p && *test.log10_p <= kCommonOriginLog10P;
}

Verdict JudgeInconclusive(const Comparison& comparison) {
  const bool alike = comparison.score && *comparison.score >= kIndependentScore;
  return alike ? Verdict::kDerived : Verdict::kInconclusive;
}

}  // namespace

DeepVerdict JudgeWithTest(const Comparison& comparison, const DeepTest& test) {
  DeepVerdict judged = {.verdict = comparison.verdict};
  if (!test.log10_p) {
    judged.notes.push_back("The test could not be asked: the verdict rests on the fingerprints.");
    return judged;
  }
  switch (comparison.verdict) {
    case Verdict::kIdentical:
      break;
    case Verdict::kIndependent:
      if (!ShowsCommonOrigin(test)) break;
      judged.verdict = Verdict::kSharedInitialisation;
      judged.notes.push_back(
          "The layers answer as independently trained ones do, but the weights have a common "
          "origin.");
      break;
    case Verdict::kInconclusive:
      if (!ShowsCommonOrigin(test)) break;
      judged.verdict = JudgeInconclusive(comparison);
      judged.notes.push_back(
          judged.verdict == Verdict::kDerived
              ? "The test settles what the fingerprints leave open: the weights have a common "
                "origin, and the layers answer more alike than those of independent models."
              : "The weights have a common origin; whether by derivation or by the same initial "
                "weights cannot be told without comparing what the layers answer.");
      break;
    case Verdict::kDerived:
    case Verdict::kReparameterised:
    case Verdict::kSharedInitialisation:
      if (*test.log10_p <= kInsignificantLog10P) break;
      judged.notes.push_back(
          "The test finds no common origin by itself; the verdict rests on the fingerprints.");
      break;
  }
  return judged;
}

}  // namespace tensorguard
