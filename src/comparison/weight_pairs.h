// Which weight of the one model plays the part of which of the other.
#ifndef TENSORGUARD_COMPARISON_WEIGHT_PAIRS_H_
#define TENSORGUARD_COMPARISON_WEIGHT_PAIRS_H_

#include <cstddef>
#include <map>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {

// Index in a.layers -> index in b.layers.
using LayerMap = std::map<size_t, size_t>;

// Layers of the same stack and index.
LayerMap LayersByIndex(const Fingerprint& a, const Fingerprint& b);

struct WeightPair {
  size_t in_a = 0;  // indices in Fingerprint::weights
  size_t in_b = 0;
};

// Weights of one role, in layers that `layers` maps to each other; those of no layer, and of layers
// outside Fingerprint::layers, with the same stack and index. A dense feed-forward is paired
// with every expert of a mixture. In the order of a.weights. Shapes may differ.
std::vector<WeightPair> PairWeights(const Fingerprint& a, const Fingerprint& b,
                                    const LayerMap& layers);

bool SameShape(const WeightSummary& a, const WeightSummary& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_WEIGHT_PAIRS_H_
