// What a decoder computes on a few sequences: how far a change moves it.
#ifndef TENSORGUARD_TRANSFORM_LOGITS_H_
#define TENSORGUARD_TRANSFORM_LOGITS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

inline constexpr size_t kSequences = 4;
inline constexpr size_t kSequenceLength = 24;

// Logits of kSequences random sequences, fixed by the seed and the first vocabulary: one row per
// position, one column per token of the model that was read (Decoder::row_of_token), whatever its
// row is now. Empty where the tokens are another model's. Errors: those of Network::Build and
// RunForward.
Result<std::optional<FloatMatrix>> LogitsOf(const Decoder& decoder, uint64_t seed);

// The largest difference relative to the largest logit of `before`. REQUIRES: the same shape.
double LogitDifference(const FloatMatrix& before, const FloatMatrix& after);

// The residual stream of those sequences: what enters the first layer, then what leaves each,
// before the final norm; rows are positions. Errors: as LogitsOf; kUnsupported where the tokens are
// another model's.
Result<std::vector<FloatMatrix>> StreamsOf(const Decoder& decoder, uint64_t seed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_LOGITS_H_
