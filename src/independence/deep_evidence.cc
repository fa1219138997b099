#include "independence/deep_evidence.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "comparison/pair_evidence.h"
#include "comparison/thresholds.h"
#include "independence/independence_finding.h"
#include "independence/written_shares.h"

namespace tensorguard::internal {
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

// By digests or by their forms: evidence of the weights that a silent test does not take back.
bool WeightsAgree(const Comparison& comparison) {
  const double same = std::max(comparison.origins.a.layers.Share(Origin::kSame),
                               comparison.origins.b.layers.Share(Origin::kSame));
  if (same >= kInPart) return true;
  Evidence evidence;
  AddFrameEvidence(comparison, evidence);
  return FormsAgree(evidence);
}

// The fingerprints find every layer of both models in the other, in another order, say.
bool AllLayersFound(const PairOrigins& origins) {
  const auto found = [](const OriginCounts& layers) {
    return layers.Total() > 0 && layers.Share(Origin::kNothing) < kInPart;
  };
  return found(origins.a.layers) && found(origins.b.layers);
}

// Layers of the other model are found, and one of the two has more layers than those.
bool SomeLayersAlone(const TestFinding& finding, const Comparison& comparison, const Network& a,
                     const Network& b) {
  const size_t deeper = std::max(a.description().layers.size(), b.description().layers.size());
  return finding.strong_layers > 0 && finding.strong_layers < deeper &&
         !AllLayersFound(comparison.origins);
}

Result<std::vector<double>> SharesOf(const Network& network) {
  return WrittenShares(network, TokensForShares(network.description().vocabulary_size));
}

}  // namespace

Result<GatheredEvidence> GatherDeepEvidence(const ReadModel& a, const ReadModel& b,
                                            const Comparison& comparison, const DeepTest& test,
                                            unsigned threads) {
  GatheredEvidence gathered;
  const auto pairs =
      CounterpartsOf(comparison.sketches, a.fingerprint, a.network, b.fingerprint, b.network);
  if (AnyStoredLikeness(pairs)) {
    TG_ASSIGN(auto exact, MeasureExactAgreement(a.network, b.network, pairs, threads));
    gathered.exact = std::move(exact);
    gathered.evidence.sketches_forged = !gathered.exact.forged.empty();
    gathered.evidence.numbers_agree = NumbersAgree(gathered.exact);
  }
  gathered.evidence.weights_agree = WeightsAgree(comparison);
  if (comparison.verdict != Verdict::kIdentical) {
    TG_ASSIGN(auto numbers, CompareNumbers(a.network, b.network, threads));
    gathered.evidence.numbers = std::move(numbers);
  }
  const TestFinding finding = FindingOf(test);
  if (!SomeLayersAlone(finding, comparison, a.network, b.network)) return gathered;
  TG_ASSIGN(auto written_a, SharesOf(a.network));
  gathered.written_a = std::move(written_a);
  TG_ASSIGN(auto written_b, SharesOf(b.network));
  gathered.written_b = std::move(written_b);
  gathered.evidence.copies_inert = CopiesAreInert(gathered.written_a, finding.strong_in_a) ||
                                   CopiesAreInert(gathered.written_b, finding.strong_in_b);
  return gathered;
}

}  // namespace tensorguard::internal
