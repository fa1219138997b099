// Exact zeros that were put where the other model has numbers.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_ZERO_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_ZERO_FORENSICS_H_

#include <optional>
#include <vector>

#include "comparison/findings/finding.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Single numbers of `model` that were pruned, beyond those that the rounding to a grid makes.
std::optional<Finding> FindPruned(const Fingerprint& model, const Fingerprint& other, Side side);

// Matrices of `model` with rows or columns of zeros, or of nothing but zeros, where those of
// `other` have numbers.
std::vector<Finding> FindZeroBlocks(const Fingerprint& model, const Fingerprint& other, Side side);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_ZERO_FORENSICS_H_
