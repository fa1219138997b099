// What the numbers of one model alone show was done to them: coarse grids, exact zeros.
#ifndef TENSORGUARD_COMPARISON_ROUNDING_FORENSICS_H_
#define TENSORGUARD_COMPARISON_ROUNDING_FORENSICS_H_

#include <vector>

#include "comparison/finding.h"
#include "full_profile/full_fingerprint.h"

namespace tensorguard {

// Grids and exact zeros in one model that the other does not have. Zeros are told apart: single
// elements (pruned), whole rows or columns of matrices that the other model has in the same shape
// (dead heads or units), whole matrices. Rows that only fill up a larger shape are padding, which
// structure_forensics.h names.
std::vector<Finding> FindRounding(const FullFingerprint& a, const FullFingerprint& b);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_ROUNDING_FORENSICS_H_
