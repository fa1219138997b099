// The hidden units of a network's feed-forward parts: what each reads from the residual stream and
// writes to it.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_FEED_FORWARD_UNITS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_FEED_FORWARD_UNITS_H_

#include <armadillo>
#include <cstdint>
#include <optional>
#include <vector>

#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// One dense feed-forward, one expert of a mixture, or a shared expert. In a layer without any, a
// state-space mixer stands for one (mixer_units.h).
struct FeedForwardBlock {
  size_t layer = 0;                     // in NetworkDescription::layers
  std::optional<uint32_t> expert = {};  // empty: dense, or the shared expert
  std::optional<Weight> gate = {};      // [units, hidden]; none without a gate
  Weight up;                            // [units, hidden]
  Weight down;                          // [hidden, units]
  bool is_mixer = false;

  uint64_t units() const { return up.rows; }
};

// At most this many blocks of one layer are looked at, so that a mixture of hundreds of experts
// costs no more than eight dense layers.
inline constexpr size_t kBlocksPerLayer = 8;

// The blocks of two or more units whose up and down fit together (and the gate, if there is one):
// the dense or shared one first, then experts counted up, up to kBlocksPerLayer. A layer without a
// feed-forward has its state-space mixer, or none.
std::vector<std::vector<FeedForwardBlock>> ListFeedForwardBlocks(const Network& network);

// A block's directions, a column per unit, in the basis of the residual stream: a unit's column of
// `up` is what it multiplies a normalised hidden state with, its column of `down` what it adds. The
// gain of the norm in front is folded in, and where that norm centres, so are the columns (their
// mean reaches nothing). Each column has length one, because scale can move between a unit's
// matrices without changing what it computes; a zero column stays zero. What all units share says
// nothing about which is which: see WithoutMeanUnit.
struct UnitVectors {
  arma::fmat gate;  // hidden x units, or empty
  arma::fmat up;    // hidden x units
  arma::fmat down;  // hidden x units

  bool has_gate() const { return !gate.empty(); }
};

// Takes the mean column out of each matrix and brings the columns back to length one; what is left
// shorter than 1e-5 is rounding noise and becomes zero. Not so up and down behind a gate: there the
// sign of a unit is free to move between the two, and with it their mean.
UnitVectors WithoutMeanUnit(UnitVectors vectors);

// Reads one block, WithoutMeanUnit. Errors: those of ReadWeight, FeedForwardInput and MixerInput;
// kBadFile if the norm in front gives numbers that are not finite.
Result<UnitVectors> ReadUnitVectors(const Network& network, const FeedForwardBlock& block);

// Whether the norm in front of a block subtracts the mean of the residual stream. Errors: those of
// FeedForwardInput and MixerInput.
Result<bool> CentresResidualStream(const Network& network, const FeedForwardBlock& block);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_FEED_FORWARD_UNITS_H_
