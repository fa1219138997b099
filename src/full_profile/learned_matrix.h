// Which weights of a fingerprint are learned matrices, the ones that tell models apart.
#ifndef TENSORGUARD_FULL_PROFILE_LEARNED_MATRIX_H_
#define TENSORGUARD_FULL_PROFILE_LEARNED_MATRIX_H_

#include <cstddef>

#include "full_profile/full_fingerprint.h"

namespace tensorguard {

// A matrix whose entries are learned from random ones and that has a sketch: not a vector, not a
// table of positions or a mixer's fixed decays, which independent models have in common.
bool IsLearnedMatrix(const WeightSummary& weight);

// How many of the fingerprint's weights are such matrices.
size_t LearnedMatrices(const FullFingerprint& fingerprint);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_LEARNED_MATRIX_H_
