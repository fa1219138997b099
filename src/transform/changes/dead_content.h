// Heads and units that are loud and write nothing.
#ifndef TENSORGUARD_TRANSFORM_CHANGES_DEAD_CONTENT_H_
#define TENSORGUARD_TRANSFORM_CHANGES_DEAD_CONTENT_H_

#include <cstdint>

#include "transform/changes/seeded_draws.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

// How much larger the numbers of dead content are than those of what lives.
inline constexpr double kDeadLoudness = 4;

// `groups` more key heads with as many query heads each as the model has, whose values the
// output projection cancels. The layer's matrices alone grow; the model's counts are for the
// caller. REQUIRES: the model's heads are at least 2 wide.
void AddDeadHeads(const Decoder& model, uint64_t groups, SeededDraws& draws, DecoderLayer& layer);

// `pairs` of hidden units more that multiply with the same and write the opposite.
void AddDeadUnits(uint64_t pairs, SeededDraws& draws, FeedForwardMatrices& block);

// The same shapes, filled with dead content or (`loud` false) with zeros, so that this half of the
// layer writes nothing.
void KillAttention(const Decoder& model, bool loud, SeededDraws& draws, DecoderLayer& layer);
void KillFeedForward(bool loud, SeededDraws& draws, DecoderLayer& layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_CHANGES_DEAD_CONTENT_H_
