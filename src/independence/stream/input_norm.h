// The norm in front of hidden units, and their vectors at unit length behind it.
#ifndef TENSORGUARD_INDEPENDENCE_STREAM_INPUT_NORM_H_
#define TENSORGUARD_INDEPENDENCE_STREAM_INPUT_NORM_H_

#include <armadillo>

#include "independence/units/feed_forward_units.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What the norm in front of a feed-forward does, up to a common factor.
struct InputNorm {
  arma::fvec gain;  // the largest magnitude is 1, unless all are 0
  bool centres = false;
};

// The norm in front of a block. Errors: those of FeedForwardInput and MixerInput; kBadFile if the
// norm gives numbers that are not finite.
Result<InputNorm> ProbeInputNorm(const Network& network, const FeedForwardBlock& block);

// Brings every column to length one, less its mean before if `centre`. Zero columns, and those that
// are constant but for rounding where the mean is taken out, become zero.
void NormaliseColumns(bool centre, arma::fmat* matrix);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STREAM_INPUT_NORM_H_
