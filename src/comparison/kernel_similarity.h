// How alike the layers of two models respond to the anchors that both know.
#ifndef TENSORGUARD_COMPARISON_KERNEL_SIMILARITY_H_
#define TENSORGUARD_COMPARISON_KERNEL_SIMILARITY_H_

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "full_profile/full_fingerprint.h"

namespace tensorguard {

enum class ResponseKind { kQueryKey, kOutputValue, kFeedForward };

inline constexpr std::array kResponseKinds = {ResponseKind::kQueryKey, ResponseKind::kOutputValue,
                                              ResponseKind::kFeedForward};

// "query_key", "output_value", "feed_forward".
std::string_view ResponseKindName(ResponseKind kind);

// The kernels of one layer as unit vectors; empty where the layer has no such part, or one that
// answers nothing (all zero, or only what the tokens mean).
struct NormalisedLayer {
  size_t layer = 0;  // index in FullFingerprint::layers
  std::array<std::optional<std::vector<double>>, kResponseKinds.size()> kernels = {};
};

// What the layers do beyond what all models share (docs/calibration.md#layers). Each
// kernel is restricted to `anchors`, double-centred, freed by least squares of the model's own
// Grams E E^T, H H^T, E H^T, H E^T (the meaning of the tokens), its rows and columns scaled to unit
// norm twice, and at last freed of the mean of the same kernel of the model's other layers: what
// all its layers answer is again what the tokens mean, and students learn that from their teacher's
// outputs. Layers without any kernel left are not in the result.
// REQUIRES: `anchors` below fingerprint.anchors.size().
std::vector<NormalisedLayer> NormaliseKernels(const FullFingerprint& fingerprint,
                                              std::span<const size_t> anchors);

// Cosines of the kernels of every layer of `a` with every layer of `b`.
class LayerSimilarity {
 public:
  LayerSimilarity(std::span<const NormalisedLayer> a, std::span<const NormalisedLayer> b);

  // Layers that have a kernel; layer_of_row()[i] is the index in a's FullFingerprint::layers.
  const std::vector<size_t>& layer_of_row() const { return layer_of_row_; }
  const std::vector<size_t>& layer_of_column() const { return layer_of_column_; }
  size_t rows() const { return layer_of_row_.size(); }
  size_t columns() const { return layer_of_column_.size(); }

  // Empty where one of the two layers has no such kernel. REQUIRES: row < rows(), column <
  // columns().
  std::optional<double> Cosine(ResponseKind kind, size_t row, size_t column) const;
  // Mean over the kernels that both layers have; empty if they have none in common.
  std::optional<double> Mean(size_t row, size_t column) const;

 private:
  std::vector<size_t> layer_of_row_;
  std::vector<size_t> layer_of_column_;
  std::array<std::vector<std::optional<double>>, kResponseKinds.size()> cosines_;
};

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_KERNEL_SIMILARITY_H_
