// Whether two models hold the same numbers.
#ifndef TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_
#define TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_

#include "comparison/sketch_comparison.h"

namespace tensorguard {

enum class WeightAgreement {
  kDifferent,
  kEqualToRounding,  // an adapter merged in float32 and one merged and stored in bfloat16, say
  kEqual,            // every weight by its digest
};

// Rounding changes every matrix that it touches by the same share of itself, at most the unit
// roundoff of its type (Higham, Accuracy and Stability of Numerical Algorithms, 2.1); training by
// steps of that size does not. `sketches` must pair layers by index.
WeightAgreement AgreementOf(const FullFingerprint& a, const FullFingerprint& b,
                            const SketchComparison& sketches);

// Whether the weight is an output head that is the embedding again: of a tied model, some writers
// store the one table twice.
bool RepeatsEmbedding(const FullFingerprint& model, const WeightSummary& weight);

// Largest relative error of storing a number of this type, by its name ("BF16"); that of float32
// for one that is not known.
double UnitRoundoff(std::string_view dtype);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_WEIGHT_AGREEMENT_H_
