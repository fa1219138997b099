// Small models whose full fingerprints the tests of this stage make by hand.
#ifndef TENSORGUARD_TESTS_SUPPORT_TOY_FINGERPRINTS_H_
#define TENSORGUARD_TESTS_SUPPORT_TOY_FINGERPRINTS_H_

#include <armadillo>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

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

inline arma::mat RandomRotation(size_t size, std::mt19937& generator) {
  arma::mat rotation;
  arma::mat triangle;
  arma::qr(rotation, triangle, RandomMatrix(size, size, generator));
  return rotation;
}

// Rows for the anchors in a basis of their own, but with the meaning that tokens have in any model.
inline arma::mat RandomTable(size_t hidden, std::mt19937& generator) {
  std::mt19937 of_all_models(99);
  const arma::mat meaning = RandomMatrix(kToyAnchors, hidden, of_all_models);
  return 0.9 * meaning * RandomRotation(hidden, generator) +
         0.45 * RandomMatrix(kToyAnchors, hidden, generator);
}

inline ToyModel RandomToyModel(uint32_t seed, size_t layer_count = 4, size_t hidden = 64) {
  std::mt19937 generator(seed);
  ToyModel model{.name = "toy" + std::to_string(seed),
                 .embedding = RandomTable(hidden, generator),
                 .head = RandomTable(hidden, generator),
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
  const arma::mat rotation = RandomRotation(hidden, generator);
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
  summary.mean = arma::accu(weight) / static_cast<double>(weight.n_elem);
  summary.quantiles.front() = static_cast<float>(weight.min());
  summary.quantiles.back() = static_cast<float>(weight.max());
  summary.distinct_per_32 = 32;
  summary.distinct_per_256 = 250;
  uint64_t hash = 1469598103934665603u;  // FNV-1a
  for (const double value : weight) {
    hash = (hash ^ static_cast<uint64_t>(std::llround(value * 1e9))) * 1099511628211u;
  }
  for (size_t i = 0; i < 8; ++i) summary.digest[i] = static_cast<uint8_t>(hash >> (8 * i));
  return summary;
}

inline void AddLayer(const ToyModel& model, uint32_t index, Fingerprint& fingerprint) {
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

// The frame of forms in the plainest way: one head, every unit of one weight (src/frame has what
// models get).
inline FrameForms ToyForms(const ToyModel& model) {
  constexpr size_t kAxes = 16;
  const size_t hidden = model.embedding.n_cols;
  arma::mat second_moment(hidden, hidden, arma::fill::zeros);
  for (const ToyLayer& layer : model.layers) {
    for (const arma::mat* reader : {&layer.query, &layer.key, &layer.value, &layer.up}) {
      const arma::mat units = arma::normalise(*reader, 2, 1);
      second_moment += units.t() * units;
    }
    for (const arma::mat* writer : {&layer.output, &layer.down}) {
      const arma::mat units = arma::normalise(*writer, 2, 0);
      second_moment += units * units.t();
    }
  }
  arma::vec values;
  arma::mat vectors;
  arma::eig_sym(values, vectors, second_moment);
  const arma::mat frame = vectors.tail_cols(std::min<arma::uword>(kAxes, vectors.n_cols));
  FrameForms forms = {.axes = frame.n_cols};
  for (uint32_t i = 0; i < model.layers.size(); ++i) {
    const ToyLayer& layer = model.layers[i];
    const arma::mat gates = arma::normalise(layer.up, 2, 1) * frame;
    forms.layers.push_back({.index = i,
                            .forms = {ToFloats((layer.query * frame).t() * (layer.key * frame)),
                                      ToFloats((frame.t() * layer.output) * (layer.value * frame)),
                                      ToFloats((frame.t() * layer.down) * (layer.up * frame)),
                                      ToFloats(gates.t() * gates)}});
  }
  return forms;
}

inline Fingerprint FingerprintOf(const ToyModel& model) {
  Fingerprint fingerprint{.model_name = model.name,
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
  fingerprint.frame = ToyForms(model);
  fingerprint.weights.push_back(SummariseTable(model.embedding, Role::kEmbedding));
  fingerprint.weights.push_back(SummariseTable(model.head, Role::kOutputHead));
  return fingerprint;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_TOY_FINGERPRINTS_H_
