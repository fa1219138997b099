// Which weights of a fingerprint are learned matrices, the ones that tell models apart.
#ifndef TENSORGUARD_FINGERPRINT_LEARNED_MATRIX_H_
#define TENSORGUARD_FINGERPRINT_LEARNED_MATRIX_H_

#include <cstddef>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// A matrix whose entries are learned from random ones and that has a sketch: not a vector, not a
// table of positions or a mixer's fixed decays, which independent models have in common.
bool IsLearnedMatrix(const WeightSummary& weight);

// How many of the fingerprint's weights are such matrices.
size_t LearnedMatrices(const Fingerprint& fingerprint);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_LEARNED_MATRIX_H_
