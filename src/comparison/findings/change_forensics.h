// What was done to the weights between two models that share their origin.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_CHANGE_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_CHANGE_FORENSICS_H_

#include <vector>

#include "comparison/alignment/sketch_comparison.h"
#include "comparison/findings/finding.h"
#include "comparison/findings/rounding_forensics.h"  // FindRounding, the other half of what was done

namespace tensorguard::internal {

// How much changed, of what rank, evenly or not; from the differences of sketches. Matrices that
// are the other model's but for a factor, or for the rounding of another type, are named apart.
// Noise is only what has a sensible size, is the same share of every matrix, has no direction, and
// leaves the other model whole in the one that it was added to: a mixture with a third model holds
// less of it. REQUIRES: the weights are in one basis.
std::vector<Finding> FindChanges(const Fingerprint& a, const Fingerprint& b,
                                 const SketchComparison& sketches);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_CHANGE_FORENSICS_H_
