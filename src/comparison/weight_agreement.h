// Whether two models hold the same numbers.
#ifndef TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_
#define TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_

#include <string_view>

#include "comparison/alignment/sketch_comparison.h"

namespace tensorguard::internal {

enum class WeightAgreement {
  kDifferent,
  kEqualToRounding,  // the one is the other, stored in a narrower type
  kEqual,            // every weight by its digest
};

// From digests alone. Equal: every weight of both sides has a counterpart of its digest; a head
// that repeats the embedding may be stored or not. Equal to rounding: the others are stored in
// different types, and the digest of the narrower one is that of the wider one rounded to it. All
// else is different, as are models of which not every expert has a digest.
WeightAgreement AgreementOf(const Fingerprint& a, const Fingerprint& b,
                            const SketchComparison& sketches);

// Whether the weight is an output head that is the embedding again: of a tied model, some writers
// store the one table twice.
bool RepeatsEmbedding(const Fingerprint& model, const WeightSummary& weight);

// Whether nothing that the sketches show is more than rounding: every weight with a sketch is
// equal, or stored in another type and changed by at most the unit roundoff of the narrower one,
// all by the same share of themselves (Higham, Accuracy and Stability of Numerical
// Algorithms, 2.1). Weights without a sketch must be equal, tables as far as their anchors' rows
// show it. A statement about sizes: it cannot tell rounding from noise of that size, so it never
// makes two models equal. `sketches` must pair layers by index.
bool ConsistentWithRounding(const Fingerprint& a, const Fingerprint& b,
                            const SketchComparison& sketches);

// Largest relative error of storing a number of this type, by its name ("BF16"); that of float32
// for one that is not known.
double UnitRoundoff(std::string_view dtype);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_
