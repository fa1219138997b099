// From what was compared to what a verdict rests on.
#ifndef TENSORGUARD_COMPARISON_PAIR_EVIDENCE_H_
#define TENSORGUARD_COMPARISON_PAIR_EVIDENCE_H_

#include <optional>

#include "comparison/compare_fingerprints.h"

namespace tensorguard::internal {

// Halves that compute the same in both models, by their forms or by their kernels, where the models
// as a whole show that they are one function. REQUIRES: kernels, frame and sketches are compared.
FunctionMatches FunctionMatchesOf(const Fingerprint& a, const Fingerprint& b,
                                  const Comparison& comparison);

// Whether the vocabulary tables are the same but for a change of basis: one function, weights that
// have nothing in common, and tokens that are to each other what they were.
bool TablesAreRewritten(const Comparison& comparison);

// What the comparison of the frames says for a verdict; nothing where there is none.
void AddFrameEvidence(const Comparison& comparison, Evidence& evidence);

struct WholePair {
  bool equal = false;
  bool basis_changed = false;
};

// REQUIRES: the origins are found too.
Evidence GatherEvidence(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison,
                        const WholePair& whole);

// Comparison::p_value.
std::optional<double> ChanceOf(const Evidence& evidence);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_PAIR_EVIDENCE_H_
