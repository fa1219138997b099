#include "generated_fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "anchors/anchor_list.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "fingerprint/kernels/row_dots.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "fingerprint/stored_fingerprint.h"

namespace tensorguard::internal {
namespace {

// Tables of one fingerprint are told apart by their number; so a relative has each of them anew.
class Numbers {
 public:
  explicit Numbers(const GeneratedOrigin& origin) : origin_(origin) {}

  FloatMatrix Next(size_t rows, size_t columns) {
    FloatMatrix own = Uniform(rows, columns, RandomBits(origin_.seed, table_));
    if (origin_.noise > 0) {
      const FloatMatrix other = Uniform(rows, columns, RandomBits(origin_.noise_seed, table_));
      for (size_t i = 0; i < own.values().size(); ++i) {
        own.values()[i] += static_cast<float>(origin_.noise * other.values()[i]);
      }
    }
    ++table_;
    return own;
  }

  FloatMatrix NextKernel(size_t anchors) {
    FloatMatrix kernel = Next(anchors, anchors);
    DoubleCentre(kernel);
    return kernel;
  }

  uint64_t NextDigest() {
    const uint64_t own = RandomBits(origin_.seed, table_);
    const uint64_t other = RandomBits(origin_.noise_seed, table_);
    ++table_;
    return origin_.noise > 0 ? own ^ other : own;
  }

 private:
  // In [-1, 1).
  static FloatMatrix Uniform(size_t rows, size_t columns, uint64_t key) {
    FloatMatrix matrix(rows, columns);
    for (size_t i = 0; i < matrix.values().size(); ++i) {
      const auto bits = static_cast<int64_t>(RandomBits(key, i)) >> 40;
      matrix.values()[i] = static_cast<float>(bits) * 0x1p-23f;
    }
    return matrix;
  }

  GeneratedOrigin origin_;
  uint64_t table_ = 0;
};

void AddWeight(const std::string& tensor, Role role, std::optional<uint32_t> layer, uint64_t rows,
               uint64_t columns, Numbers& numbers, Fingerprint& print) {
  WeightSummary weight = {.tensor = tensor, .rows = rows, .columns = columns, .dtype = "BF16"};
  weight.role.role = role;
  weight.role.layer = layer;
  weight.is_vector = columns == 1;
  weight.norm = std::sqrt(static_cast<double>(rows * columns)) * 0.02;
  for (size_t i = 0; i < weight.quantiles.size(); ++i) {
    weight.quantiles[i] = 0.02f * (static_cast<float>(i) - 4.0f);
  }
  const uint64_t digest = numbers.NextDigest();
  for (size_t i = 0; i < sizeof digest; ++i) {
    weight.digest[i] = static_cast<uint8_t>(digest >> (8 * i));
  }
  if (columns >= 4) weight.two_of_four_fraction = 0;
  if (columns >= 32) weight.distinct_per_32 = 31.5;
  if (columns >= 256) weight.distinct_per_256 = 210;
  const bool table = role == Role::kEmbedding || role == Role::kOutputHead;
  if (!table) weight.sketch = numbers.Next(weight.is_vector ? 1 : kSketchSize, kSketchSize);
  print.parameters += rows * columns;
  print.weights.push_back(std::move(weight));
}

void AddLayer(uint32_t index, const GeneratedShape& shape, Numbers& numbers, Fingerprint& print) {
  print.layers.push_back({.index = index,
                          .mixer = MixerKind::kAttention,
                          .mixer_name = "attention",
                          .query_key = numbers.NextKernel(shape.anchors),
                          .output_value = numbers.NextKernel(shape.anchors),
                          .feed_forward = numbers.NextKernel(shape.anchors)});
  const uint64_t width = shape.hidden_size;
  const uint64_t inner = shape.feed_forward_size;
  const auto add = [&](const char* name, Role role, uint64_t rows, uint64_t columns) {
    AddWeight(fmt::format("model.layers.{}.{}.weight", index, name), role, index, rows, columns,
              numbers, print);
  };
  add("input_layernorm", Role::kNorm, width, 1);
  add("mlp.down_proj", Role::kDown, width, inner);
  add("mlp.gate_proj", Role::kGate, inner, width);
  add("mlp.up_proj", Role::kUp, inner, width);
  add("post_attention_layernorm", Role::kNorm, width, 1);
  add("self_attn.k_proj", Role::kKey, width, width);
  add("self_attn.o_proj", Role::kOutputProjection, width, width);
  add("self_attn.q_proj", Role::kQuery, width, width);
  add("self_attn.v_proj", Role::kValue, width, width);
}

FloatMatrix GramOf(const FloatMatrix& a, const FloatMatrix& b) {
  FloatMatrix gram(a.rows(), b.rows());
  const std::vector<double> dots = RowDots(a, b);
  std::copy(dots.begin(), dots.end(), gram.values().begin());
  return gram;
}

void AddAnchors(const GeneratedShape& shape, Numbers& numbers, Fingerprint& print) {
  print.anchor_list_version = kAnchorListVersion;
  for (uint32_t i = 0; i < shape.anchors; ++i) {
    print.anchors.push_back(i);
    print.anchor_tokens.push_back(i);
  }
  constexpr size_t kGramRank = 64;
  const FloatMatrix inputs = numbers.Next(shape.anchors, kGramRank);
  const FloatMatrix outputs = numbers.Next(shape.anchors, kGramRank);
  print.input_gram = GramOf(inputs, inputs);
  print.output_gram = GramOf(outputs, outputs);
  print.cross_gram = GramOf(inputs, outputs);
  for (FloatMatrix* gram : {&print.input_gram, &print.output_gram, &print.cross_gram}) {
    DoubleCentre(*gram);
  }
  print.embedding_sketch = numbers.Next(shape.anchors, kSketchSize);
  print.head_sketch = numbers.Next(shape.anchors, kSketchSize);
}

}  // namespace

Fingerprint GenerateFingerprint(std::string model_name, const GeneratedShape& shape,
                                const GeneratedOrigin& origin) {
  Fingerprint print = {.model_name = std::move(model_name),
                       .architecture = "llama",
                       .vocabulary_size = shape.vocabulary_size,
                       .hidden_size = shape.hidden_size,
                       .has_head = true};
  Numbers numbers(origin);
  AddAnchors(shape, numbers, print);
  AddWeight("lm_head.weight", Role::kOutputHead, {}, shape.vocabulary_size, shape.hidden_size,
            numbers, print);
  AddWeight("model.embed_tokens.weight", Role::kEmbedding, {}, shape.vocabulary_size,
            shape.hidden_size, numbers, print);
  for (uint32_t layer = 0; layer < shape.layers; ++layer) AddLayer(layer, shape, numbers, print);
  AddWeight("model.norm.weight", Role::kNorm, {}, shape.hidden_size, 1, numbers, print);
  return AsStored(std::move(print));
}

}  // namespace tensorguard::internal
