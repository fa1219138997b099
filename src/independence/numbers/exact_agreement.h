// How alike the weights of two models are, from all their numbers: what no stored sketch can forge.
#ifndef TENSORGUARD_INDEPENDENCE_NUMBERS_EXACT_AGREEMENT_H_
#define TENSORGUARD_INDEPENDENCE_NUMBERS_EXACT_AGREEMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "comparison/alignment/sketch_comparison.h"
#include "fingerprint/fingerprint.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Two matrices of one shape that play one part.
struct WeightsToCompare {
  const Weight* a = nullptr;  // of the networks
  const Weight* b = nullptr;
  std::optional<double> stored = {};  // the cosine of their stored sketches
};

// Matrices of layers with the same role in the same place (stack, layer, expert) of both. They live
// as long as the networks.
std::vector<WeightsToCompare> CounterpartsByPlace(const Network& a, const Network& b);

// The pairs of learned matrices that the comparison of two fingerprints made, by its alignment,
// found again in the networks that the fingerprints were made from.
std::vector<WeightsToCompare> CounterpartsOf(const SketchComparison& sketches,
                                             const Fingerprint& fingerprint_a, const Network& a,
                                             const Fingerprint& fingerprint_b, const Network& b);

struct ExactPair {
  std::string tensor_a;  // raw text from the file
  std::string tensor_b;
  std::optional<uint32_t> layer_a = {};
  std::optional<uint32_t> layer_b = {};
  double cosine = 0.0;  // over all numbers; 0 if one is all zero
  // Mean cosine of the differences of neighbouring rows (2k, 2k + 1). A row that all share, a few
  // huge numbers and a common sign do not reach it.
  double contrast = 0.0;
  std::optional<double> stored = {};
  bool forged = false;  // stored likeness that the numbers do not have
};

// docs/independence.md#exact-agreement. Sketches above the first of matrices below the second are
// not those of these numbers, whatever the noise: it is 0.03 on matrices of many rows.
inline constexpr double kStoredLikeness = 0.3;
inline constexpr double kNoLikeness = 0.1;

struct ExactAgreement {
  std::vector<ExactPair> pairs;
  double mean_contrast = 0.0;       // over pairs; 0 without any
  std::vector<std::string> forged;  // names of tensors of a
};

// Reads every pair once, some rows at a time. The same for any number of threads (0: one per
// processor). REQUIRES: equal shapes. Errors: those of ReadWeight.
Result<ExactAgreement> MeasureExactAgreement(const Network& a, const Network& b,
                                             const std::vector<WeightsToCompare>& pairs,
                                             unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_NUMBERS_EXACT_AGREEMENT_H_
