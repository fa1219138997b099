// Fingerprints made by hand for the tests of this stage.
#ifndef TENSORGUARD_TESTS_SUPPORT_RANDOM_FINGERPRINTS_H_
#define TENSORGUARD_TESTS_SUPPORT_RANDOM_FINGERPRINTS_H_

#include <cstdint>
#include <vector>

#include "anchors/anchor_list.h"
#include "fingerprint/fingerprint.h"
#include "fingerprint/sketches/probe_numbers.h"

namespace tensorguard::internal {

inline FloatMatrix NumbersOf(size_t rows, size_t columns, uint64_t seed) {
  FloatMatrix matrix(rows, columns);
  for (size_t i = 0; i < matrix.values().size(); ++i) {
    const auto bits = static_cast<int64_t>(RandomBits(seed, i)) >> 40;
    matrix.values()[i] = static_cast<float>(bits) / 8388608.0f;
  }
  return matrix;
}

inline WeightSummary SummaryNamed(const char* tensor, Role role, uint64_t rows, uint64_t columns,
                                  uint64_t seed) {
  WeightSummary weight = {.tensor = tensor, .rows = rows, .columns = columns, .dtype = "BF16"};
  weight.role.role = role;
  weight.is_vector = columns == 1;
  weight.norm = 3.25 + static_cast<double>(seed) / 3;
  weight.mean = -0.1;
  for (size_t i = 0; i < weight.quantiles.size(); ++i) {
    weight.quantiles[i] = static_cast<float>(i) - 4.1f;
  }
  weight.digest[3] = static_cast<uint8_t>(seed);
  weight.zero_fraction = 0.125;
  if (columns >= 4) weight.two_of_four_fraction = 0.5;
  if (columns >= 32) weight.distinct_per_32 = 15.75;
  if (columns >= 256) weight.distinct_per_256 = 200.1;
  weight.sketch = NumbersOf(weight.is_vector ? 1 : kSketchSize, kSketchSize, seed);
  return weight;
}

// Every kind of part once: a layer of attention, one of a recurrent mixer with experts, matrices of
// several widths, a vector, tables without sketch.
inline Fingerprint SmallFingerprint() {
  Fingerprint print = {.model_name = "small \"model\"\n",
                       .architecture = "llama",
                       .parameters = 12'345,
                       .vocabulary_size = 1000,
                       .hidden_size = 300,
                       .tied_head = false,
                       .has_head = true,
                       .anchor_list_version = kAnchorListVersion,
                       .anchors = {2, 3, 5, 700},
                       .anchor_tokens = {999, 0, 5, 17},
                       .input_gram = NumbersOf(4, 4, 1),
                       .output_gram = NumbersOf(4, 4, 2),
                       .cross_gram = NumbersOf(4, 4, 3),
                       .embedding_sketch = NumbersOf(4, kSketchSize, 4),
                       .head_sketch = NumbersOf(4, kSketchSize, 5)};
  print.layers.push_back({.index = 0,
                          .mixer = MixerKind::kAttention,
                          .mixer_name = "attention",
                          .query_key = NumbersOf(4, 4, 6),
                          .output_value = NumbersOf(4, 4, 7),
                          .feed_forward = FloatMatrix(4, 4),
                          .mixer_gain = 0.3,
                          .feed_forward_gain = 0.0});
  print.layers.push_back({.stack = "decoder",
                          .index = 1,
                          .mixer = MixerKind::kRecurrent,
                          .mixer_name = "mamba",
                          .expert_count = 2,
                          .output_value = NumbersOf(4, 4, 8),
                          .feed_forward = NumbersOf(4, 4, 9),
                          .experts = {NumbersOf(4, 4, 10), NumbersOf(4, 4, 11)},
                          .feed_forward_gain = 1.7});
  print.weights = {SummaryNamed("embed", Role::kEmbedding, 1000, 300, 1),
                   SummaryNamed("layers.0.q", Role::kQuery, 300, 300, 2),
                   SummaryNamed("layers.0.norm", Role::kNorm, 300, 1, 3),
                   SummaryNamed("layers.1.experts.1.up", Role::kUp, 7, 3, 4)};
  print.weights[0].sketch = {};
  print.weights[0].row_sample = {.digests = std::vector<uint32_t>(1000, 0xdead'beef),
                                 .projections = NumbersOf(1000, kRowProjections, 12)};
  print.weights[1].digest_as_bfloat16 = WeightDigest{7, 8};
  print.weights[1].digest_as_float16 = WeightDigest{9};
  print.weights[1].role.layer = 0;
  print.weights[3].role.layer = 1;
  print.weights[3].role.expert = 1;
  print.weights[3].role.stack = "decoder";
  print.frame.axes = 5;
  print.frame.unit_axes = 7;
  print.frame.token_inputs = NumbersOf(4, 7, 20);
  print.frame.token_outputs = NumbersOf(4, 7, 21);
  LayerForms gated = {.index = 0};
  gated.forms[1] = NumbersOf(5, 5, 13);
  gated.units = {
      .gates = NumbersOf(3, 7, 14), .ups = NumbersOf(3, 7, 15), .downs = NumbersOf(3, 7, 16)};
  LayerForms plain = {.stack = "decoder", .index = 1};
  plain.forms[2] = NumbersOf(5, 5, 17);
  plain.units = {.ups = NumbersOf(2, 7, 18), .downs = NumbersOf(2, 7, 19)};
  print.frame.layers = {gated, plain};
  print.notes = {"a note", "another"};
  return print;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_RANDOM_FINGERPRINTS_H_
