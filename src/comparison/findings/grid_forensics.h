// Models whose values lie on a coarse grid, or whose files say so.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_GRID_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_GRID_FORENSICS_H_

#include <optional>

#include "comparison/findings/finding.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Whether the file holds codes of a quantiser or blocks of codes.
bool IsStoredQuantised(const Fingerprint& model);

// Of `model`, which is on the side `side` of the comparison: how its file is quantised, or on what
// grid its values lie. Empty for neither.
std::optional<Finding> FindGrid(const Fingerprint& model, const Fingerprint& other, Side side);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_GRID_FORENSICS_H_
