#include "transform/stress/stress_subject.h"

#include <utility>

#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "independence/deep_evidence.h"
#include "independence/deep_verdict.h"
#include "independence/independence.h"
#include "independence/stream/shared_tokens.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {

Result<StressSubject> MakeSubject(Model model, bool with_network, unsigned threads) {
  TG_ASSIGN(auto fingerprint, ComputeFullFingerprint(model, {.threads = threads}));
  StressSubject subject = {.model = std::move(model), .fingerprint = std::move(fingerprint)};
  if (!with_network) return subject;
  if (auto network = Network::Build(subject.model, {.threads = threads})) {
    subject.network = *std::move(network);
  }
  return subject;
}

Result<SubjectAnswer> CompareSubjects(const StressSubject& a, const StressSubject& b) {
  TG_ASSIGN(const auto comparison, CompareFingerprints(a.fingerprint, b.fingerprint));
  return SubjectAnswer{.verdict = comparison.verdict, .score = comparison.score};
}

Result<SubjectAnswer> TestSubjects(const StressSubject& a, const StressSubject& b, uint64_t seed,
                                   unsigned threads) {
  TG_ASSIGN(const auto comparison, CompareFingerprints(a.fingerprint, b.fingerprint));
  TG_ASSIGN(const auto tokens, FindSharedTokens(a.model, *a.network, b.model, *b.network));
  TG_ASSIGN(const auto test, TestIndependence(*a.network, *b.network, tokens.pairs,
                                              {.threads = threads, .seed = seed}));
  TG_ASSIGN(const auto gathered,
            GatherDeepEvidence({*a.network, a.fingerprint}, {*b.network, b.fingerprint}, comparison,
                               test, threads));
  return SubjectAnswer{.verdict = JudgeWithTest(comparison, test, gathered.evidence).verdict,
                       .score = comparison.score,
                       .log10_p = test.log10_p};
}

}  // namespace tensorguard::internal
