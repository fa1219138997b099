// What a form of one layer has beyond what the other layers of its model have in common.
#ifndef TENSORGUARD_FRAME_LAYER_FEATURES_H_
#define TENSORGUARD_FRAME_LAYER_FEATURES_H_

#include <array>
#include <cstddef>
#include <vector>

#include "frame/frame_forms.h"

namespace tensorguard::internal {

// The two halves of a layer, each matched on its own.
enum class LayerHalf { kAttention, kFeedForward };
inline constexpr size_t kLayerHalves = 2;
inline constexpr size_t kKindsPerHalf = 2;
// Kinds of a half, as indices in kFormKinds.
inline constexpr std::array<std::array<size_t, kKindsPerHalf>, kLayerHalves> kKindsOfHalves = {
    {{0, 1}, {2, 3}}};

// Row-major [axes, axes] at norm 1; empty where the layer has no such form, or one that tells
// nothing beyond the others.
using FormFeature = std::vector<float>;

struct LayerFeatures {
  size_t layer = 0;  // in FrameForms::layers
  std::array<FormFeature, kFormKinds.size()> forms = {};
};

// Of each half, the layers that have any of its forms; restricted to the leading `axes`. Freed by
// least squares of the mean and the leading components of the same form of the model's other layers
// (docs/frame.md): layers of all models are alike in those. Copies of the layer itself (cosine
// above 0.95) do not count as others. REQUIRES: axes <= forms.axes.
std::array<std::vector<LayerFeatures>, kLayerHalves> FeaturesOf(const FrameForms& forms,
                                                                size_t axes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_LAYER_FEATURES_H_
