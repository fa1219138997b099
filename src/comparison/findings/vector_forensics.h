// What changed beside the matrices: gains and biases, positions, convolutions.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_VECTOR_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_VECTOR_FORENSICS_H_

#include <optional>

#include "comparison/alignment/sketch_comparison.h"
#include "comparison/findings/finding.h"

namespace tensorguard::internal {

// Of the weights that are no learned matrices and no vocabulary tables, those that changed by more
// than how they are stored makes; empty if none did.
std::optional<Finding> FindVectorChanges(const Fingerprint& a, const Fingerprint& b,
                                         const SketchComparison& sketches);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_VECTOR_FORENSICS_H_
