// How alike matched layers are under a map of the frames that was fitted on other layers.
#ifndef TENSORGUARD_FRAME_HELD_OUT_READINGS_H_
#define TENSORGUARD_FRAME_HELD_OUT_READINGS_H_

#include <array>
#include <cstddef>
#include <vector>

#include "frame/frame_comparison.h"
#include "frame/layer_matching.h"

namespace tensorguard::internal {

struct Readings {
  std::array<std::vector<FrameMatch>, kLayerHalves> matches = {};
  std::vector<double> on = {};   // of `matches`
  std::vector<double> off = {};  // of the same layers, not matched with each other
};

// Every second match fits the map for the rest, and the other way round; of a single match of each
// half, one half for the other. Without readings where nothing is left to fit.
Readings ReadHeldOut(const HalfFeatures& a, const HalfFeatures& b, const LayerMatching& matching,
                     size_t axes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_HELD_OUT_READINGS_H_
