// How a model was written anew that computes the same with other numbers.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_REWRITING_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_REWRITING_FORENSICS_H_

#include "comparison/alignment/sketch_comparison.h"
#include "comparison/findings/basis_change.h"
#include "comparison/findings/finding.h"

namespace tensorguard::internal {

// Names which weights moved while the function stayed: the residual stream permuted or rotated,
// norm gains moved into the matrices that read them, query and key or value and output changed
// together inside their heads, hidden units permuted or rescaled. A permutation leaves every matrix
// its norm, mean, least and greatest number. `kernels`: their mean cosine along the alignment.
// REQUIRES: change.Happened().
Finding NameBasisChange(const Fingerprint& a, const Fingerprint& b, const BasisChange& change,
                        const SketchComparison& sketches, double kernels);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_REWRITING_FORENSICS_H_
