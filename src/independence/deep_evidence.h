// What the weights of both models tell beside the test: whether stored likeness stands up to the
// numbers, and whether copied layers do anything.
#ifndef TENSORGUARD_INDEPENDENCE_DEEP_EVIDENCE_H_
#define TENSORGUARD_INDEPENDENCE_DEEP_EVIDENCE_H_

#include <vector>

#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "independence/deep_verdict.h"
#include "independence/independence.h"
#include "independence/numbers/exact_agreement.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A model with its fingerprint, which must have been made from it.
struct ReadModel {
  const Network& network;
  const Fingerprint& fingerprint;
};

struct GatheredEvidence {
  DeepEvidence evidence = {};
  // Of the pairs of the comparison; empty where no stored sketches are alike.
  ExactAgreement exact = {};
  // Of each model's layers; empty where no parts were copied.
  std::vector<double> written_a = {};
  std::vector<double> written_b = {};
};

// Reads the matrices only where stored sketches are alike, all numbers only where most weights
// begin alike, and runs tokens through the layers only where some layers were copied and others
// not, so that independent models cost next to nothing. Errors: those of MeasureExactAgreement,
// CompareNumbers and WrittenShares.
Result<GatheredEvidence> GatherDeepEvidence(const ReadModel& a, const ReadModel& b,
                                            const Comparison& comparison, const DeepTest& test,
                                            unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_DEEP_EVIDENCE_H_
