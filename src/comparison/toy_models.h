// Small models whose full fingerprints the tests of this stage make by hand.
#ifndef TENSORGUARD_COMPARISON_TOY_MODELS_H_
#define TENSORGUARD_COMPARISON_TOY_MODELS_H_

#include <armadillo>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "full_profile/full_fingerprint.h"

namespace tensorguard {

inline constexpr size_t kToyAnchors = 48;

inline arma::mat RandomMatrix(size_t rows, size_t columns, std::mt19937& generator) {
  std::normal_distribution<double> normal;
  arma::mat values(rows, columns);
  values.imbue([&] { return normal(generator); });
  return values;
}

struct ToyLayer {
  arma::mat query, key, value, output, up, down;  // [outputs, inputs]

  std::vector<arma::mat*> Matrices() { return {&query, &key, &value, &output, &up, &down}; }
};

// A decoder without norms, of which the kernels are: x W_q^T W_k x', x W_v^T W_o^T h', relu(x
// W_u^T) W_d^T h'.
struct ToyModel {
  std::string name;
  arma::mat embedding;  // [kToyAnchors, hidden]: the vocabulary is the anchors
  arma::mat head;
  std::vector<ToyLayer> layers;
};

inline ToyModel RandomToyModel(uint32_t seed, size_t layer_count = 4, size_t hidden = 64) {
  std::mt19937 generator(seed);
  ToyModel model{.name = "toy" + std::to_string(seed),
                 .embedding = RandomMatrix(kToyAnchors, hidden, generator),
                 .head = RandomMatrix(kToyAnchors, hidden, generator),
                 .layers = {}};
  for (size_t i = 0; i < layer_count; ++i) {
    ToyLayer layer;
    for (arma::mat* matrix : {&layer.query, &layer.key, &layer.value, &layer.output}) {
      *matrix = RandomMatrix(hidden, hidden, generator);
    }
    layer.up = RandomMatrix(2 * hidden, hidden, generator);
    layer.down = RandomMatrix(hidden, 2 * hidden, generator);
    model.layers.push_back(layer);
  }
  return model;
}

// Every matrix plus noise of `share` of its norm, the vocabulary as it is.
inline ToyModel Noised(ToyModel model, double share, uint32_t seed) {
  std::mt19937 generator(seed);
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) {
      *matrix += share * RandomMatrix(matrix->n_rows, matrix->n_cols, generator);
    }
  }
  model.name += "--noised";
  return model;
}

// The residual stream in another basis: every matrix changed, no kernel.
inline ToyModel Rotated(ToyModel model, uint32_t seed) {
  std::mt19937 generator(seed);
  const size_t hidden = model.embedding.n_cols;
  arma::mat rotation;
  arma::mat triangle;
  arma::qr(rotation, triangle, RandomMatrix(hidden, hidden, generator));
  model.embedding = model.embedding * rotation;
  model.head = model.head * rotation;
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* reader : {&layer.query, &layer.key, &layer.value, &layer.up}) {
      *reader = *reader * rotation;
    }
    layer.output = rotation.t() * layer.output;
    layer.down = rotation.t() * layer.down;
  }
  model.name += "--rotated";
  return model;
}

inline FloatMatrix ToFloats(const arma::mat& values) {
  FloatMatrix floats(values.n_rows, values.n_cols);
  for (size_t row = 0; row < values.n_rows; ++row) {
    for (size_t column = 0; column < values.n_cols; ++column) {
      floats.Row(row)[column] = static_cast<float>(values(row, column));
    }
  }
  return floats;
}

inline FloatMatrix Centred(arma::mat kernel) {
  kernel.each_row() -= arma::mean(kernel, 0);
  kernel.each_col() -= arma::mean(kernel, 1);
  return ToFloats(kernel);
}

inline WeightSummary Summarise(const arma::mat& weight, Role role, uint32_t layer) {
  std::mt19937 by_rows(static_cast<uint32_t>(weight.n_rows));
  std::mt19937 by_columns(static_cast<uint32_t>(1000 + weight.n_cols));
  const arma::mat sketch = RandomMatrix(kSketchSize, weight.n_rows, by_rows) * weight *
                           RandomMatrix(weight.n_cols, kSketchSize, by_columns) / kSketchSize;
  WeightSummary summary{.tensor = std::string(RoleName(role)),
                        .rows = weight.n_rows,
                        .columns = weight.n_cols,
                        .dtype = "F32",
                        .norm = arma::norm(weight, "fro")};
  summary.role.role = role;
  summary.role.layer = layer;
  summary.sketch = ToFloats(sketch);
  summary.quantiles.front() = static_cast<float>(weight.min());
  summary.quantiles.back() = static_cast<float>(weight.max());
  summary.mean = arma::mean(arma::vectorise(weight));
  summary.distinct_per_32 = 32;
  summary.distinct_per_256 = 250;
  uint64_t hash = 1469598103934665603u;  // FNV-1a
  for (const double value : weight) {
    hash = (hash ^ static_cast<uint64_t>(std::llround(value * 1e9))) * 1099511628211u;
  }
  for (size_t i = 0; i < 8; ++i) summary.digest[i] = static_cast<uint8_t>(hash >> (8 * i));
  return summary;
}

inline void AddLayer(const ToyModel& model, uint32_t index, FullFingerprint& fingerprint) {
  const ToyLayer& layer = model.layers[index];
  const arma::mat& x = model.embedding;
  LayerResponse response{.index = index, .mixer = MixerKind::kAttention};
  response.query_key = Centred(x * layer.query.t() * layer.key * x.t());
  response.output_value = Centred(x * layer.value.t() * layer.output.t() * model.head.t());
  const arma::mat hidden = arma::clamp(x * layer.up.t(), 0, arma::datum::inf);
  response.feed_forward = Centred(hidden * layer.down.t() * model.head.t());
  fingerprint.layers.push_back(response);
  fingerprint.weights.push_back(Summarise(layer.query, Role::kQuery, index));
  fingerprint.weights.push_back(Summarise(layer.key, Role::kKey, index));
  fingerprint.weights.push_back(Summarise(layer.value, Role::kValue, index));
  fingerprint.weights.push_back(Summarise(layer.output, Role::kOutputProjection, index));
  fingerprint.weights.push_back(Summarise(layer.up, Role::kUp, index));
  fingerprint.weights.push_back(Summarise(layer.down, Role::kDown, index));
}

// A vocabulary table has its sketch by anchor, not here.
inline WeightSummary SummariseTable(const arma::mat& table, Role role) {
  WeightSummary summary = Summarise(table, role, 0);
  summary.role.layer.reset();
  summary.sketch = {};
  return summary;
}

inline FullFingerprint FingerprintOf(const ToyModel& model) {
  FullFingerprint fingerprint{.model_name = model.name,
                              .vocabulary_size = kToyAnchors,
                              .hidden_size = model.embedding.n_cols,
                              .has_head = true,
                              .anchor_list_version = 1};
  for (uint32_t i = 0; i < kToyAnchors; ++i) {
    fingerprint.anchors.push_back(i);
    fingerprint.anchor_tokens.push_back(i);
  }
  fingerprint.input_gram = Centred(model.embedding * model.embedding.t());
  fingerprint.output_gram = Centred(model.head * model.head.t());
  fingerprint.cross_gram = Centred(model.embedding * model.head.t());
  std::mt19937 probes(7);
  const arma::mat x = RandomMatrix(model.embedding.n_cols, kSketchSize, probes);
  fingerprint.embedding_sketch = ToFloats(model.embedding * x);
  fingerprint.head_sketch = ToFloats(model.head * x);
  for (uint32_t i = 0; i < model.layers.size(); ++i) AddLayer(model, i, fingerprint);
  fingerprint.weights.push_back(SummariseTable(model.embedding, Role::kEmbedding));
  fingerprint.weights.push_back(SummariseTable(model.head, Role::kOutputHead));
  return fingerprint;
}

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_TOY_MODELS_H_
