// What the numbers of one model alone show was done to them: coarse grids, exact zeros.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_ROUNDING_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_ROUNDING_FORENSICS_H_

#include <vector>

#include "comparison/findings/finding.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Grids and exact zeros in one model that the other does not have. Zeros are told apart: single
// elements (pruned), whole rows or columns of matrices that the other model has in the same shape
// (dead heads or units), whole matrices. Rows that only fill up a larger shape are padding, which
// structure_forensics.h names.
std::vector<Finding> FindRounding(const Fingerprint& a, const Fingerprint& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_ROUNDING_FORENSICS_H_
