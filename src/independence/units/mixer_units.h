// The channels of a state-space mixer (Mamba) as hidden units, for layers that have no others.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_MIXER_UNITS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_MIXER_UNITS_H_

#include <optional>

#include "independence/units/feed_forward_units.h"
#include "network/network.h"

namespace tensorguard::internal {

// A recurrent mixer's channels: each is read from the residual stream by one of the first rows of
// the input projection and by one of as many rows after them (one of the two is its gate; which,
// differs between Mamba 1 and 2 and does not matter here), and written by a column of the output
// projection. Neighbouring channels are of one head. Empty where the layer has no recurrent mixer,
// or not exactly one matrix of each shape.
std::optional<FeedForwardBlock> MixerBlock(const Network& network, size_t layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_MIXER_UNITS_H_
