// What was done to the weights between two models that share their origin.
#ifndef TENSORGUARD_COMPARISON_CHANGE_FORENSICS_H_
#define TENSORGUARD_COMPARISON_CHANGE_FORENSICS_H_

#include <vector>

#include "comparison/finding.h"
#include "comparison/sketch_comparison.h"

namespace tensorguard {

// How much changed, of what rank, evenly or not; from the differences of sketches.
// REQUIRES: the weights are in one basis.
std::vector<Finding> FindChanges(const FullFingerprint& a, const FullFingerprint& b,
                                 const SketchComparison& sketches);

// Grids and exact zeros in one model that the other does not have; from each model alone.
std::vector<Finding> FindRounding(const FullFingerprint& a, const FullFingerprint& b);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_CHANGE_FORENSICS_H_
