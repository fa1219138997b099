// What the weights of both models tell beside the test: whether stored likeness stands up to the
// numbers, and whether copied layers do anything.
#ifndef TENSORGUARD_DEEP_TEST_DEEP_EVIDENCE_H_
#define TENSORGUARD_DEEP_TEST_DEEP_EVIDENCE_H_

#include <vector>

#include "base/result.h"
#include "comparison/compare_fingerprints.h"
#include "deep_test/deep_verdict.h"
#include "deep_test/exact_agreement.h"
#include "deep_test/independence.h"
#include "full_profile/full_fingerprint.h"
#include "network/network.h"

namespace tensorguard {

// A model with its fingerprint, which must have been made from it.
struct ReadModel {
  const Network& network;
  const FullFingerprint& fingerprint;
};

struct GatheredEvidence {
  DeepEvidence evidence = {};
  // Of the pairs of the comparison; empty where no stored sketches are alike.
  ExactAgreement exact = {};
  // Of each model's layers; empty where no parts were copied.
  std::vector<double> written_a = {};
  std::vector<double> written_b = {};
};

// Reads the matrices only where stored sketches are alike, and runs tokens through the layers only
// where some layers were copied and others not, so that independent models cost nothing. Errors:
// those of MeasureExactAgreement and WrittenShares.
Result<GatheredEvidence> GatherEvidence(const ReadModel& a, const ReadModel& b,
                                        const Comparison& comparison, const DeepTest& test,
                                        unsigned threads);

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_DEEP_EVIDENCE_H_
