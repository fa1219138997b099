// Words for what of one model lies in the other.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_SHARED_PARTS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_SHARED_PARTS_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"

namespace tensorguard::internal {

// Of a derivation in part, of equal or nearly equal tables, and of single parts that otherwise
// unrelated models have in common. REQUIRES: the verdict and the origins are there.
std::vector<Finding> FindSharedParts(const Fingerprint& a, const Fingerprint& b,
                                     const Comparison& comparison);

// "50% of the layers of A have their origin in B, 25% of those of B in A."; names are raw text.
std::string DescribeShares(const Fingerprint& a, const Fingerprint& b, const PairOrigins& origins);

// Whether a verdict says that the models have one origin beyond their initial weights.
bool IsOrigin(Verdict verdict);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_SHARED_PARTS_H_
