// The full profile: what a model answers to the anchors, layer by layer, and sketches of its
// weights.
#ifndef TENSORGUARD_FINGERPRINT_FINGERPRINT_H_
#define TENSORGUARD_FINGERPRINT_FINGERPRINT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frame/frame_forms.h"
#include "numerics/float_matrix.h"
#include "roles/mixer_kind.h"
#include "roles/role.h"

namespace tensorguard::internal {

// Rises with every change of the layout or of what its numbers mean.
inline constexpr int kFingerprintVersion = 4;

// Of the elements of a weight: least, 1 %, 5 %, 25 %, median, 75 %, 95 %, 99 %, greatest.
inline constexpr std::array<double, 9> kSummaryQuantiles = {0,    0.01, 0.05, 0.25, 0.5,
                                                            0.75, 0.95, 0.99, 1};

// A sketch has this many rows and probes.
inline constexpr size_t kSketchSize = 32;

inline constexpr size_t kMostSampledRows = 32'768;
inline constexpr size_t kRowProjections = 2;

enum class AnchorKind {
  kTokens,  // ids are indices in AnchorList(), comparable between all models
  kRows,    // no tokenizer: ids are rows of the embedding, comparable between equal vocabularies
};

struct LayerResponse {
  std::string stack = {};
  uint32_t index = 0;  // within its stack
  MixerKind mixer = MixerKind::kNone;
  std::string mixer_name = {};
  uint32_t expert_count = 0;  // routed experts of the layer; 0 for a dense feed-forward
  // Kernels [anchors, anchors], row t the response to anchor t, column s read out at anchor s;
  // double-centred over the model's own anchors. Empty (0 x 0) where the layer has no such part.
  FloatMatrix query_key = {};
  FloatMatrix output_value = {};
  FloatMatrix feed_forward = {};
  // The first routed experts alone (at most kExpertsKept), on the first kExpertAnchors anchors and
  // double-centred over those.
  std::vector<FloatMatrix> experts = {};
  // What the mixer and the feed-forward add to the anchors' input rows: root mean square of what
  // they put out over that of the rows. Says how much a layer does; empty where it has no such
  // part.
  std::optional<double> mixer_gain = {};
  std::optional<double> feed_forward_gain = {};
};

// The rows of a vocabulary table one by one, so that it can be said how many are another model's.
// Of more than kMostSampledRows those at FixedSample(rows, kMostSampledRows).
struct RowSample {
  std::vector<uint32_t> digests = {};  // equal for rows of equal numbers, however they are stored
  // [sampled rows, kRowProjections]: each row at norm 1 times fixed probes of variance 1, so that
  // the mean product of two tables' projections is the mean cosine of their rows.
  FloatMatrix projections = {};
};

using WeightDigest = std::array<uint8_t, 16>;

// One weight, split from what it was fused with.
struct WeightSummary {
  std::string tensor = {};  // raw text from the file
  TensorRole role = {};
  bool is_vector = false;
  uint64_t rows = 0;              // outputs; the elements of a vector
  uint64_t columns = 0;           // inputs; 1 for a vector
  std::string dtype = {};         // as stored
  std::string quantisation = {};  // TensorInfo::quantisation; raw text of a file's shapes
  WeightDigest digest = {};       // of the numbers, by content_digest.h
  // Of the numbers rounded to a narrower type, where they are stored in a wider one that it cannot
  // hold exactly: a copy in that type has this digest.
  std::optional<WeightDigest> digest_as_bfloat16 = {};
  std::optional<WeightDigest> digest_as_float16 = {};
  double norm = 0;  // Frobenius
  double mean = 0;
  std::array<float, kSummaryQuantiles.size()> quantiles = {};  // at kSummaryQuantiles
  double zero_fraction = 0;                                    // elements that are exactly zero
  double zero_row_fraction = 0;                                // rows that are all zero
  double zero_column_fraction = 0;                             // columns that are all zero
  // Aligned groups of 4 neighbours in a row of which two or more are zero; empty below 4 columns.
  std::optional<double> two_of_four_fraction = {};
  // Mean number of different values in aligned groups of 32 (256) neighbours of a row; empty below
  // 32 (256) columns.
  std::optional<double> distinct_per_32 = {};
  std::optional<double> distinct_per_256 = {};
  // s = S (W X), [kSketchSize, kSketchSize], linear in W; of a vector v X, [1, kSketchSize]
  // (docs/formats/fingerprint.md). X depends on `columns` alone (a vector's length), S on `rows`.
  // Empty for vocabulary tables, which have sketches by anchor, for routed experts from
  // kExpertsKept on, and for rows longer than any sketch.
  FloatMatrix sketch = {};
  RowSample row_sample = {};  // of tables of tokens and positions; empty for others
};

// What a quick fingerprint was made from.
struct QuickCoverage {
  uint64_t budget_bytes = 0;
  uint64_t read_bytes = 0;    // of the tensors, by the plan
  uint64_t tensor_bytes = 0;  // of the whole model
  size_t model_layers = 0;
  size_t kernels = 0;  // that were computed
};

struct Fingerprint {
  std::string model_name = {};
  std::string architecture = {};
  uint64_t parameters = 0;
  uint64_t vocabulary_size = 0;  // rows of the embedding
  uint64_t hidden_size = 0;
  bool tied_head = false;
  bool has_head = false;

  AnchorKind anchor_kind = AnchorKind::kTokens;
  int anchor_list_version = 0;
  std::vector<uint32_t> anchors = {};        // ascending; see AnchorKind
  std::vector<uint32_t> anchor_tokens = {};  // parallel: rows of the embedding
  // Double-centred over the anchors, [anchors, anchors]: E E^T, H H^T, E H^T of the input rows E
  // and the output rows H.
  FloatMatrix input_gram = {};
  FloatMatrix output_gram = {};
  FloatMatrix cross_gram = {};
  // The anchors' rows of the embedding as stored, times X: [anchors, kSketchSize]. Of the head the
  // same; empty where there is none, or it is the embedding.
  FloatMatrix embedding_sketch = {};
  FloatMatrix head_sketch = {};

  std::vector<LayerResponse> layers = {};   // encoder first, then decoder
  std::vector<WeightSummary> weights = {};  // as SplitWeights orders them
  FrameForms frame = {};
  // What a reader should know: "no tokenizer: row anchors", "layer 3 has no attention", ...
  std::vector<std::string> notes = {};
  // What the model lacks, or has only zeros for: "layers 4-5", "the final norm". The fingerprint
  // speaks of the rest alone, about so many thousandths of the whole model's parameters.
  std::vector<std::string> missing = {};
  uint32_t known_permille = 1000;
  // Set: only a part of the model was read. `layers` and `weights` hold that part and no other, and
  // the fingerprint is never written to a file.
  std::optional<QuickCoverage> quick = {};
};

// More anchors cost memory with the square; half as many separate models nearly as well.
inline constexpr size_t kMostAnchors = 128;
inline constexpr size_t kExpertAnchors = 32;
inline constexpr uint32_t kExpertsKept = 32;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FINGERPRINT_H_
