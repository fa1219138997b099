#include "deep_test/deep_evidence.h"

#include <algorithm>
#include <utility>

#include "comparison/thresholds.h"
#include "deep_test/test_finding.h"
#include "deep_test/written_shares.h"

namespace tensorguard {
namespace {

bool AnyStoredLikeness(const std::vector<WeightsToCompare>& pairs) {
  return std::any_of(pairs.begin(), pairs.end(), [](const WeightsToCompare& pair) {
    return pair.stored && *pair.stored > kStoredLikeness;
  });
}

bool NumbersAgree(const ExactAgreement& exact) {
  const bool copied =
      std::any_of(exact.pairs.begin(), exact.pairs.end(),
                  [](const ExactPair& pair) { return pair.contrast >= kCopiedMatrixCosine; });
  return copied || exact.mean_contrast >= kBasisLostCosine;
}

Result<std::vector<double>> SharesOf(const Network& network) {
  return WrittenShares(network, TokensForShares(network.description().vocabulary_size));
}

}  // namespace

Result<GatheredEvidence> GatherEvidence(const ReadModel& a, const ReadModel& b,
                                        const Comparison& comparison, const DeepTest& test,
                                        unsigned threads) {
  GatheredEvidence gathered;
  const auto pairs =
      CounterpartsOf(comparison.sketches, a.fingerprint, a.network, b.fingerprint, b.network);
  if (AnyStoredLikeness(pairs)) {
    auto exact = MeasureExactAgreement(a.network, b.network, pairs, threads);
    if (!exact) return exact.error();
    gathered.exact = *std::move(exact);
    gathered.evidence.sketches_forged = !gathered.exact.forged.empty();
    gathered.evidence.numbers_agree = NumbersAgree(gathered.exact);
  }
  const TestFinding finding = FindingOf(test);
  if (!finding.InTwoModes()) return gathered;
  auto written_a = SharesOf(a.network);
  if (!written_a) return written_a.error();
  gathered.written_a = *std::move(written_a);
  auto written_b = SharesOf(b.network);
  if (!written_b) return written_b.error();
  gathered.written_b = *std::move(written_b);
  gathered.evidence.copies_inert = CopiesAreInert(gathered.written_a, finding.strong_in_a) ||
                                   CopiesAreInert(gathered.written_b, finding.strong_in_b);
  return gathered;
}

}  // namespace tensorguard
