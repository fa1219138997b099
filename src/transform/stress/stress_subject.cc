#include "transform/stress/stress_subject.h"

#include <utility>

#include "comparison/compare_fingerprints.h"
#include "independence/deep_evidence.h"
#include "independence/deep_verdict.h"
#include "independence/independence.h"
#include "independence/stream/shared_tokens.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {

Result<StressSubject> MakeSubject(Model model, bool with_network, unsigned threads) {
  auto fingerprint = ComputeFullFingerprint(model, {.threads = threads});
  if (!fingerprint) return std::move(fingerprint).error();
  StressSubject subject = {.model = std::move(model), .fingerprint = *std::move(fingerprint)};
  if (!with_network) return subject;
  if (auto network = Network::Build(subject.model, {.threads = threads})) {
    subject.network = *std::move(network);
  }
  return subject;
}

Result<SubjectAnswer> CompareSubjects(const StressSubject& a, const StressSubject& b) {
  const auto comparison = CompareFingerprints(a.fingerprint, b.fingerprint);
  if (!comparison) return comparison.error();
  return SubjectAnswer{.verdict = comparison->verdict, .score = comparison->score};
}

Result<SubjectAnswer> TestSubjects(const StressSubject& a, const StressSubject& b, uint64_t seed,
                                   unsigned threads) {
  const auto comparison = CompareFingerprints(a.fingerprint, b.fingerprint);
  if (!comparison) return comparison.error();
  const SharedTokens tokens = FindSharedTokens(a.model, *a.network, b.model, *b.network);
  const auto test =
      TestIndependence(*a.network, *b.network, tokens.pairs, {.threads = threads, .seed = seed});
  if (!test) return test.error();
  const auto gathered = GatherDeepEvidence({*a.network, a.fingerprint}, {*b.network, b.fingerprint},
                                           *comparison, *test, threads);
  if (!gathered) return gathered.error();
  return SubjectAnswer{.verdict = JudgeWithTest(*comparison, *test, gathered->evidence).verdict,
                       .score = comparison->score,
                       .log10_p = test->log10_p};
}

}  // namespace tensorguard::internal
