// What the layers of a model answer beyond what all models share.
#ifndef TENSORGUARD_FINGERPRINT_KERNELS_NORMALISED_KERNELS_H_
#define TENSORGUARD_FINGERPRINT_KERNELS_NORMALISED_KERNELS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

enum class ResponseKind { kQueryKey, kOutputValue, kFeedForward };

inline constexpr std::array kResponseKinds = {ResponseKind::kQueryKey, ResponseKind::kOutputValue,
                                              ResponseKind::kFeedForward};

// "query_key", "output_value", "feed_forward".
std::string_view ResponseKindName(ResponseKind kind);

// docs/calibration.md#layers. A layer this similar to another of its own model is a copy of it
// (repeated or shared layers) and tells nothing about what the model's layers have in common.
inline constexpr double kCopiedLayerCosine = 0.95;

// The kernels of one kind as unit vectors, a row each.
struct KernelRows {
  FloatMatrix units = {};          // [layers that have it, anchors * anchors]
  std::vector<double> norms = {};  // parallel to the rows: 1 but for rounding
};

struct NormalisedLayer {
  size_t layer = 0;  // index in Fingerprint::layers
  // Row in NormalisedKernels::kinds; empty where the layer has no such part, or one that answers
  // nothing (all zero, or only what the tokens mean).
  std::array<std::optional<size_t>, kResponseKinds.size()> rows = {};
};

struct NormalisedKernels {
  std::vector<NormalisedLayer> layers = {};  // those with any kernel
  std::array<KernelRows, kResponseKinds.size()> kinds = {};

  size_t size() const { return layers.size(); }
  bool empty() const { return layers.empty(); }
  const NormalisedLayer& operator[](size_t i) const { return layers[i]; }
};

// Each kernel is restricted to `anchors`, double-centred, freed by least squares of the model's own
// Grams E E^T, H H^T, E H^T, H E^T (the meaning of the tokens), its rows and columns scaled to unit
// norm twice, and at last freed of the mean of the same kernel of the model's other layers: what
// all its layers answer is again what the tokens mean, and students learn that from their teacher's
// outputs (docs/calibration.md#layers). Computed in float64, kept in float32: a cosine changes by
// less than 1e-7.
// REQUIRES: `anchors` ascending, below fingerprint.anchors.size().
NormalisedKernels NormaliseKernels(const Fingerprint& fingerprint, std::span<const size_t> anchors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_KERNELS_NORMALISED_KERNELS_H_
