// Weights that are all zeros: placeholders of what was never written, or parts that were silenced.
#ifndef TENSORGUARD_PROFILE_ZERO_PARTS_H_
#define TENSORGUARD_PROFILE_ZERO_PARTS_H_

#include <span>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "network/missing_parts.h"

namespace tensorguard::internal {

// What is missing though its tensors are there: layers all of whose matrices are zeros, the same
// half of every layer, the embedding or the head. A layer of which only some matrices are zeros
// works: block expansion (LLaMA Pro; Wu et al. 2024) begins with zeros in what its new layers
// write.
std::vector<MissingPart> FindZeroParts(std::span<const WeightSummary> weights);

// A line on whole matrices of zeros that are no more than that; empty if there are none.
std::string NoteOnZeroMatrices(std::span<const WeightSummary> weights);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_ZERO_PARTS_H_
