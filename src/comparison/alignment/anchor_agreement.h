// Whether anchors mean the same in two models.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_ANCHOR_AGREEMENT_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_ANCHOR_AGREEMENT_H_

#include <optional>

#include "comparison/alignment/common_anchors.h"

namespace tensorguard::internal {

// Cosine of the two models' output Grams H H^T over the common anchors, without the diagonals:
// which tokens are near to which as outputs. Trained models learn that from the language, so that
// it agrees whether or not they are related; where it does not, the anchors are not what they say,
// or a model is not trained. In [-1, 1]; empty where the anchors have an obstacle or a Gram is all
// zero.
std::optional<double> AnchorAgreement(const Fingerprint& a, const Fingerprint& b,
                                      const CommonAnchors& anchors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_ANCHOR_AGREEMENT_H_
