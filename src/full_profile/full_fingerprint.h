// The full profile: what a model answers to the anchors, layer by layer, and sketches of its
// weights.
#ifndef TENSORGUARD_FULL_PROFILE_FULL_FINGERPRINT_H_
#define TENSORGUARD_FULL_PROFILE_FULL_FINGERPRINT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "architecture/role.h"
#include "network/float_matrix.h"

namespace tensorguard {

// Rises with every change of the layout or of what its numbers mean.
inline constexpr int kFullFingerprintVersion = 1;

enum class AnchorKind {
  kTokens,  // ids are indices in AnchorList(), comparable between all models
  kRows,    // no tokenizer: ids are rows of the embedding, comparable between equal vocabularies
};

struct LayerResponse {
  std::string stack = {};
  uint32_t index = 0;  // within its stack
  std::string mixer_name = {};
  // Kernels [anchors, anchors], row t the response to anchor t, column s read out at anchor s;
  // double-centred over the model's own anchors. Empty (0 x 0) where the layer has no such part.
  FloatMatrix query_key = {};
  FloatMatrix output_value = {};
  FloatMatrix feed_forward = {};
  // Per routed expert, on the first expert_anchors anchors.
  std::vector<FloatMatrix> experts = {};
};

// One weight, split from what it was fused with.
struct WeightSummary {
  std::string tensor = {};  // raw text from the file
  TensorRole role = {};
  uint64_t rows = 0;                    // outputs
  uint64_t columns = 0;                 // inputs; 1 for a vector
  std::string dtype = {};               // as stored
  std::array<uint8_t, 16> digest = {};  // of the float32 values in row-major order [rows, columns]
  double norm = 0;                      // Frobenius
  double mean = 0;
  std::vector<float> quantiles = {};  // of the elements at kSummaryQuantiles
  double zero_fraction = 0;           // elements that are exactly zero
  double zero_row_fraction = 0;       // rows that are all zero
  double distinct_per_group = 0;      // mean number of different values in 32 neighbours of a row
  // s = S (W X), [sketch rows, probes], linear in W (docs/formats/fingerprint.md). Empty for
  // vectors.
  FloatMatrix sketch = {};
};

struct FullFingerprint {
  std::string model_name = {};
  std::string architecture = {};
  uint64_t parameters = 0;
  uint64_t vocabulary_size = 0;
  uint64_t hidden_size = 0;
  bool tied_head = false;
  bool has_head = false;

  AnchorKind anchor_kind = AnchorKind::kTokens;
  int anchor_list_version = 0;
  std::vector<uint32_t> anchors = {};  // ascending
  // Double-centred over the anchors, [anchors, anchors]: E E^T, H H^T, E H^T of the input rows E
  // and the output rows H.
  FloatMatrix input_gram = {};
  FloatMatrix output_gram = {};
  FloatMatrix cross_gram = {};

  std::vector<LayerResponse> layers = {};   // encoder first, then decoder
  std::vector<WeightSummary> weights = {};  // as SplitWeights orders them
  // What a reader should know: "no tokenizer: row anchors", "layer 3 has no attention", ...
  std::vector<std::string> notes = {};
};

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_FULL_FINGERPRINT_H_
