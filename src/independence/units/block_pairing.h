// Which feed-forward block of one network goes with which of the other.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_BLOCK_PAIRING_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_BLOCK_PAIRING_H_

#include <vector>

#include "independence/stream/residual_maps.h"
#include "independence/units/feed_forward_units.h"
#include "independence/units/unit_reader.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// All blocks of a network, layer by layer.
using BlockList = std::vector<std::vector<FeedForwardBlock>>;

struct BlockPair {
  FeedForwardBlock a;
  FeedForwardBlock b;
  double similarity = 0.0;  // mean over sampled units of a of the largest cosine in b
};

// Pairs layer i with layer i and block k with block k. REQUIRES: HaveEqualLayout.
std::vector<BlockPair> PairByPosition(const BlockList& a, const BlockList& b);

// True if both have the same number of layers, and of blocks in each.
bool HaveEqualLayout(const BlockList& a, const BlockList& b);

struct PairingOptions {
  unsigned threads = 0;  // 0: one per processor
};

// Pairs layers along the monotone alignment with the largest sum of similarities (above their
// median), at most one pair per layer, and within two layers the most similar blocks. Only what
// units multiply with is looked at (the gate where both have gates, else up) and only as sets: no
// order of the units changes the pairing, nor does anything that the tests after it ask about.
// Reads of `a` the sampled units only. Errors: those of UnitReader.
Result<std::vector<BlockPair>> PairBySimilarity(UnitReaders& readers_a, const BlockList& a,
                                                UnitReaders& readers_b, const BlockList& b,
                                                const ResidualMaps& maps,
                                                const PairingOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_BLOCK_PAIRING_H_
