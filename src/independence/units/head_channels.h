// The heads of an attention as channels: what each reads from the residual stream and writes to it,
// in a basis of its own that no change inside a head moves.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_HEAD_CHANNELS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_HEAD_CHANNELS_H_

#include <armadillo>
#include <cstdint>
#include <optional>

#include "independence/units/feed_forward_units.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// At most this many channels of a layer, the strongest ones of each head alike, so that memory is
// the hidden width times this.
inline constexpr uint64_t kHeadChannels = 1024;
// Fewer channels find each other by chance too often for the allowance of the matched parts.
inline constexpr uint64_t kFewestChannels = 20;

// Of every head its two forms, O_h V_h and Q_h^T K_h, [hidden, hidden] of the rank of a head: any
// invertible change inside the head (between V and O, or between Q and K where no rotary positions
// forbid it) leaves them as they are. Their singular vectors are the channels, a column each: `up`
// holds what is read (V; Q), `down` what is written (O) or read on the other side (K). The gain of
// the norm in front is folded in; where it centres, so are the columns. Columns have length one;
// those of a singular value below a thousandth of the head's largest are zero. The sign of a
// channel's two columns together is arbitrary. Norms on queries and keys are left out: they scale
// within a head.
struct HeadChannels {
  UnitVectors values;  // without gates
  UnitVectors scores;  // likewise
};

// Empty where the layer has no attention whose heads are known and have matrices of their own (a
// latent attention has not), or it has fewer than kFewestChannels. Errors: those of ReadWeight and
// MixerInput; kBadFile if the norm in front gives numbers that are not finite. Memory: the hidden
// width times kHeadChannels, four times.
Result<std::optional<HeadChannels>> ReadHeadChannels(const Network& network, size_t layer,
                                                     unsigned threads);

// The sum over heads of O_h V_h between `map`'s columns: [map columns, map columns]. Which layer is
// which shows in it, in any order of heads. Empty as above. map: [hidden, few columns].
Result<std::optional<arma::fmat>> ReadValueForm(const Network& network, size_t layer,
                                                const arma::fmat& map, unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_HEAD_CHANNELS_H_
