// Which layer of one model stands for which of another, from forms whose axes have unknown signs.
#ifndef TENSORGUARD_FRAME_LAYER_MATCHING_H_
#define TENSORGUARD_FRAME_LAYER_MATCHING_H_

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "frame/layer_features.h"

namespace tensorguard::internal {

using HalfFeatures = std::array<std::vector<LayerFeatures>, kLayerHalves>;

// Of each half, pairs of places in its list of layers, ascending in the first.
using LayerMatching = std::array<std::vector<std::pair<size_t, size_t>>, kLayerHalves>;

// The pairs of a largest total; no row and no column twice. `totals` [rows, columns]. Time
// as AssignColumns.
std::vector<std::pair<size_t, size_t>> BestPairs(const FloatMatrix& totals);

// The same by trying all: what BestPairs is tested against. REQUIRES: at most 8 columns or rows.
double BestTotalExhaustively(const FloatMatrix& totals);

// The matchings worth a look: place by place where there are as many layers; whole layers by what
// their forms' magnitudes share; each half by that on its own. Without repetitions.
std::vector<LayerMatching> CandidateMatchings(const HalfFeatures& a, const HalfFeatures& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_LAYER_MATCHING_H_
