// Words for what of one model lies in the other.
#ifndef TENSORGUARD_COMPARISON_SHARED_PARTS_H_
#define TENSORGUARD_COMPARISON_SHARED_PARTS_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"

namespace tensorguard {

// Of a derivation in part, of equal or nearly equal tables, and of single parts that otherwise
// unrelated models have in common. REQUIRES: the verdict and the origins are there.
std::vector<Finding> FindSharedParts(const FullFingerprint& a, const FullFingerprint& b,
                                     const Comparison& comparison);

// "Of the layers of the first 50% were found in the second, of those of the second 25% in the
// first."
std::string DescribeShares(const PairOrigins& origins);

// Whether a verdict says that the models have one origin beyond their initial weights.
bool IsOrigin(Verdict verdict);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_SHARED_PARTS_H_
