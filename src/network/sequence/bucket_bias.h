// Scores by buckets of distances, from a learned table (Raffel et al. 2020).
#ifndef TENSORGUARD_NETWORK_SEQUENCE_BUCKET_BIAS_H_
#define TENSORGUARD_NETWORK_SEQUENCE_BUCKET_BIAS_H_

#include <cstddef>

#include "network/stack.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// [heads * length, length]: what T5 adds to the scores of a sequence. Empty where the architecture
// has no such table. Errors: kUnsupported where the table is missing or does not fit the heads;
// those of ReadWeight.
Result<FloatMatrix> BucketBias(const Stack& stack, const Layer& layer, size_t length,
                               bool both_sides);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_SEQUENCE_BUCKET_BIAS_H_
