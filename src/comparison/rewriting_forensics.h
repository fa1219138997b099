// How a model was written anew that computes the same with other numbers.
#ifndef TENSORGUARD_COMPARISON_REWRITING_FORENSICS_H_
#define TENSORGUARD_COMPARISON_REWRITING_FORENSICS_H_

#include "comparison/basis_change.h"
#include "comparison/finding.h"
#include "comparison/sketch_comparison.h"

namespace tensorguard {

// Names which weights moved while the function stayed: the residual stream permuted or rotated,
// norm gains moved into the matrices that read them, query and key or value and output changed
// together inside their heads, hidden units permuted or rescaled. A permutation leaves every matrix
// its norm, mean, least and greatest number. `kernels`: their mean cosine along the alignment.
// REQUIRES: change.Happened().
Finding NameBasisChange(const FullFingerprint& a, const FullFingerprint& b,
                        const BasisChange& change, const SketchComparison& sketches,
                        double kernels);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_REWRITING_FORENSICS_H_
