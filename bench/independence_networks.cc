#include "independence_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/random_bits.h"
#include "base/seeded_order.h"
#include "model/model.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kTopics = 12;  // dimensions of meaning that all random networks share
constexpr uint64_t kOutliers = 3;
constexpr float kOutlierFactor = 30.0f;

std::vector<float> NormalNumbers(std::mt19937_64* generator, uint64_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(*generator);
  return numbers;
}

// The map from topics to the residual stream: a network's own, unless all share one basis.
std::vector<float> TopicMap(std::mt19937_64* own, uint64_t hidden, Likeness likeness) {
  if (likeness != Likeness::kOneBasis) return NormalNumbers(own, kTopics * hidden);
  std::mt19937_64 common(hidden);
  return NormalNumbers(&common, kTopics * hidden);
}

TensorValues Transposed(const TensorValues& matrix) {
  const uint64_t rows = matrix.shape[0];
  const uint64_t columns = matrix.shape[1];
  TensorValues transposed{.shape = {columns, rows}, .values = matrix.values};
  for (uint64_t row = 0; row < rows; ++row) {
    for (uint64_t column = 0; column < columns; ++column) {
      transposed.values[column * rows + row] = matrix.values[row * columns + column];
    }
  }
  return transposed;
}

// All numbers -1, 0 or 1, and one row in four the one before it.
void MakeTies(TensorValues* rows) {
  const uint64_t columns = rows->shape[1];
  for (float& value : rows->values) value = std::clamp(std::round(10.0f * value), -1.0f, 1.0f);
  for (uint64_t row = 1; row < rows->shape[0]; row += 4) {
    std::copy_n(&rows->values[(row - 1) * columns], columns, &rows->values[row * columns]);
  }
}

}  // namespace

RandomShape DrawShape(uint64_t seed) {
  const uint64_t hidden = 32 + 8 * (RandomBits(seed, 0) % 13);
  return {.layers = 1 + RandomBits(seed, 1) % 6,
          .hidden = hidden,
          .units = hidden * (4 + RandomBits(seed, 2) % 13) / 4,
          .gated = RandomBits(seed, 3) % 3 != 0};
}

NetworkMaker::NetworkMaker(const RandomShape& shape, uint64_t seed, Likeness likeness)
    : shape_(shape),
      likeness_(likeness),
      generator_(seed),
      topic_map_(TopicMap(&generator_, shape.hidden, likeness)) {}

std::shared_ptr<const Network> NetworkMaker::Make() {
  return shape_.gated ? Build(LlamaTensors(), "llama") : Build(Gpt2Tensors(), "gpt2");
}

std::vector<float> NetworkMaker::Normal(uint64_t count) {
  return NormalNumbers(&generator_, count);
}

TensorValues NetworkMaker::Matrix(uint64_t rows, uint64_t columns) {
  return {.shape = {rows, columns}, .values = Normal(rows * columns)};
}

TensorValues NetworkMaker::Vector(uint64_t width, float mean) {
  TensorValues vector{.shape = {width}, .values = Normal(width)};
  for (float& value : vector.values) value = mean + 0.2f * value;
  return vector;
}

// A shared vector over topics, in this network's own basis.
std::vector<float> NetworkMaker::InOwnBasis(uint64_t shared_seed) const {
  std::mt19937_64 shared(shared_seed);
  std::normal_distribution<float> normal;
  std::vector<float> vector(shape_.hidden);
  for (uint64_t topic = 0; topic < kTopics; ++topic) {
    const float amount = normal(shared) / std::sqrt(static_cast<float>(kTopics));
    for (uint64_t i = 0; i < shape_.hidden; ++i) {
      vector[i] += amount * topic_map_[topic * shape_.hidden + i];
    }
  }
  return vector;
}

TensorValues NetworkMaker::Embedding(uint64_t table) {
  TensorValues embedding = Matrix(kRandomVocabulary, shape_.hidden);
  if (likeness_ == Likeness::kOneBasis) {
    std::mt19937_64 common(1000 * shape_.hidden + table);
    embedding.values = NormalNumbers(&common, embedding.values.size());
  }
  for (uint64_t token = 0; token < kRandomVocabulary; ++token) {
    const auto meaning = InOwnBasis(token);
    for (uint64_t i = 0; i < shape_.hidden; ++i) {
      embedding.values[token * shape_.hidden + i] += 2.0f * meaning[i];
    }
  }
  return embedding;
}

// [units, hidden]: rows of very different length, a common mean row, and some rows a shared
// feature.
TensorValues NetworkMaker::UnitRows(const std::vector<uint32_t>& feature_of_unit, uint64_t part,
                                    const std::vector<float>& lengths) {
  const uint32_t one_in = likeness_ == Likeness::kManyFeatures ? 12 : 50;
  TensorValues rows = Matrix(shape_.units, shape_.hidden);
  const auto mean = Normal(shape_.hidden);
  // The mean row has its share of each unit; of sorted ones that share drifts with their order.
  const auto mean_length = [&](float length) {
    return likeness_ == Likeness::kSorted ? 1.0f : length;
  };
  for (uint64_t unit = 0; unit < shape_.units; ++unit) {
    const uint32_t feature = feature_of_unit[unit];
    const auto shared = InOwnBasis(100'000 + 10 * feature + part);
    const float strength = feature % one_in == 0 ? 4.0f : 0.0f;
    for (uint64_t i = 0; i < shape_.hidden; ++i) {
      float& value = rows.values[unit * shape_.hidden + i];
      const float length = std::exp(0.5f * lengths[unit]);
      value =
          0.05f * ((value + strength * shared[i]) * length + 0.3f * mean[i] * mean_length(length));
      if (likeness_ == Likeness::kOutliers && i < kOutliers) value *= kOutlierFactor;
    }
  }
  if (likeness_ == Likeness::kTies) MakeTies(&rows);
  return rows;
}

std::vector<uint32_t> NetworkMaker::FeatureOrder() {
  return SeededOrder(static_cast<uint32_t>(shape_.units), generator_());
}

std::vector<float> NetworkMaker::UnitLengths() {
  auto lengths = Normal(shape_.units);
  if (likeness_ == Likeness::kSorted) std::sort(lengths.begin(), lengths.end());
  return lengths;
}

NetworkMaker::Tensors NetworkMaker::LlamaTensors() {
  const uint64_t width = shape_.hidden;
  Tensors tensors = {{"model.embed_tokens.weight", Embedding(0)},
                     {"lm_head.weight", Embedding(1)},
                     {"model.norm.weight", Vector(width, 1.0f)}};
  for (uint64_t layer = 0; layer < shape_.layers; ++layer) {
    const std::string name = fmt::format("model.layers.{}.", layer);
    for (const char* part : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      tensors[fmt::format("{}self_attn.{}.weight", name, part)] = Matrix(width, width);
    }
    const auto features = FeatureOrder();
    const auto lengths = UnitLengths();
    tensors[name + "mlp.gate_proj.weight"] = UnitRows(features, 0, lengths);
    tensors[name + "mlp.up_proj.weight"] = UnitRows(features, 1, lengths);
    tensors[name + "mlp.down_proj.weight"] = Transposed(UnitRows(features, 2, lengths));
    tensors[name + "input_layernorm.weight"] = Vector(width, 1.0f);
    tensors[name + "post_attention_layernorm.weight"] = Vector(width, 1.0f);
  }
  return tensors;
}

NetworkMaker::Tensors NetworkMaker::Gpt2Tensors() {
  const uint64_t width = shape_.hidden;
  Tensors tensors = {{"wte.weight", Embedding(0)},
                     {"wpe.weight", Matrix(16, width)},
                     {"ln_f.weight", Vector(width, 1.0f)},
                     {"ln_f.bias", Vector(width, 0.0f)}};
  for (uint64_t layer = 0; layer < shape_.layers; ++layer) {
    const std::string name = fmt::format("h.{}.", layer);
    const auto features = FeatureOrder();
    const auto lengths = UnitLengths();
    tensors[name + "attn.c_attn.weight"] = Matrix(width, 3 * width);
    tensors[name + "attn.c_attn.bias"] = Vector(3 * width, 0.0f);
    tensors[name + "attn.c_proj.weight"] = Matrix(width, width);
    tensors[name + "attn.c_proj.bias"] = Vector(width, 0.0f);
    tensors[name + "mlp.c_fc.weight"] = Transposed(UnitRows(features, 1, lengths));
    tensors[name + "mlp.c_fc.bias"] = Vector(shape_.units, 0.0f);
    tensors[name + "mlp.c_proj.weight"] = UnitRows(features, 2, lengths);
    tensors[name + "mlp.c_proj.bias"] = Vector(width, 0.0f);
    for (const char* norm : {"ln_1", "ln_2"}) {
      tensors[name + norm + ".weight"] = Vector(width, 1.0f);
      tensors[name + norm + ".bias"] = Vector(width, 0.0f);
    }
  }
  return tensors;
}

std::shared_ptr<const Network> NetworkMaker::Build(const Tensors& tensors,
                                                   const std::string& type) const {
  Model model;
  model.name = "random";
  model.config = {{"model_type", type},       {"num_attention_heads", 4},
                  {"num_key_value_heads", 4}, {"n_head", 4},
                  {"n_positions", 16},        {"hidden_size", shape_.hidden},
                  {"n_embd", shape_.hidden},  {"vocab_size", kRandomVocabulary}};
  model.weights = std::make_shared<MemoryWeights>(WeightsOf(tensors));
  model.architecture = Understand(model.config, model.weights->tensors());
  const auto network = Network::Build(model);
  if (!network) {
    fmt::print(stderr, "independence_calibration: {}\n", DescribeError(network.error()));
    std::exit(2);
  }
  return *network;
}

}  // namespace tensorguard::internal
