// Small networks in memory and what can be done to them, for the tests of this stage.
#ifndef TENSORGUARD_TESTS_SUPPORT_UNIT_NETWORKS_H_
#define TENSORGUARD_TESTS_SUPPORT_UNIT_NETWORKS_H_

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "independence/independence.h"
#include "tests/support/random_models.h"
#include "tests/support/random_units.h"

namespace tensorguard::internal {

using Tensors = std::map<std::string, TensorValues>;

struct Shape {
  uint64_t layers = 3;
  uint64_t hidden = 24;
  uint64_t units = 64;
  bool gated = true;  // Llama's layout, else GPT-2's
};

inline constexpr uint64_t kVocabulary = 80;

inline TensorValues Normal(std::vector<uint64_t> shape, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  TensorValues tensor{.shape = std::move(shape), .values = {}};
  tensor.values.resize(ElementCount(tensor.shape).value());
  for (float& value : tensor.values) value = 0.1f * normal(generator);
  return tensor;
}

inline TensorValues Gain(uint64_t width, uint64_t seed) {
  TensorValues gain = Normal({width}, seed);
  for (float& value : gain.values) value += 1.0f;
  return gain;
}

inline std::string LlamaName(uint64_t layer, const std::string& part) {
  return "model.layers." + std::to_string(layer) + "." + part + ".weight";
}

inline Tensors LlamaTensors(const Shape& shape, uint64_t seed) {
  uint64_t part = seed * 1000;
  const uint64_t width = shape.hidden;
  Tensors tensors = {{"model.embed_tokens.weight", Normal({kVocabulary, width}, ++part)},
                     {"lm_head.weight", Normal({kVocabulary, width}, ++part)},
                     {"model.norm.weight", Gain(width, ++part)}};
  for (uint64_t layer = 0; layer < shape.layers; ++layer) {
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      tensors[LlamaName(layer, std::string("self_attn.") + projection)] =
          Normal({width, width}, ++part);
    }
    tensors[LlamaName(layer, "mlp.gate_proj")] = Normal({shape.units, width}, ++part);
    tensors[LlamaName(layer, "mlp.up_proj")] = Normal({shape.units, width}, ++part);
    tensors[LlamaName(layer, "mlp.down_proj")] = Normal({width, shape.units}, ++part);
    tensors[LlamaName(layer, "input_layernorm")] = Gain(width, ++part);
    tensors[LlamaName(layer, "post_attention_layernorm")] = Gain(width, ++part);
  }
  return tensors;
}

inline Tensors Gpt2Tensors(const Shape& shape, uint64_t seed) {
  uint64_t part = seed * 1000;
  const uint64_t width = shape.hidden;
  Tensors tensors = {{"wte.weight", Normal({kVocabulary, width}, ++part)},
                     {"wpe.weight", Normal({16, width}, ++part)},
                     {"ln_f.weight", Gain(width, ++part)},
                     {"ln_f.bias", Normal({width}, ++part)}};
  for (uint64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string name = "h." + std::to_string(layer) + ".";
    tensors[name + "attn.c_attn.weight"] = Normal({width, 3 * width}, ++part);
    tensors[name + "attn.c_attn.bias"] = Normal({3 * width}, ++part);
    tensors[name + "attn.c_proj.weight"] = Normal({width, width}, ++part);
    tensors[name + "attn.c_proj.bias"] = Normal({width}, ++part);
    tensors[name + "mlp.c_fc.weight"] = Normal({width, shape.units}, ++part);
    tensors[name + "mlp.c_fc.bias"] = Normal({shape.units}, ++part);
    tensors[name + "mlp.c_proj.weight"] = Normal({shape.units, width}, ++part);
    tensors[name + "mlp.c_proj.bias"] = Normal({width}, ++part);
    for (const char* norm : {"ln_1", "ln_2"}) {
      tensors[name + norm + ".weight"] = Gain(width, ++part);
      tensors[name + norm + ".bias"] = Normal({width}, ++part);
    }
  }
  return tensors;
}

inline std::shared_ptr<const Network> BuildLlama(const Tensors& tensors) {
  const TensorValues& first = tensors.at(LlamaName(0, "mlp.up_proj"));
  const auto heads = 4;
  const Json config = {{"model_type", "llama"},         {"architectures", {"LlamaForCausalLM"}},
                       {"hidden_size", first.shape[1]}, {"intermediate_size", first.shape[0]},
                       {"num_attention_heads", heads},  {"num_key_value_heads", heads},
                       {"rms_norm_eps", 1e-6},          {"vocab_size", kVocabulary}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

inline std::shared_ptr<const Network> BuildGpt2(const Tensors& tensors) {
  const Json config = {{"model_type", "gpt2"},
                       {"architectures", {"GPT2LMHeadModel"}},
                       {"n_embd", tensors.at("wte.weight").shape[1]},
                       {"n_head", 4},
                       {"n_positions", 16},
                       {"vocab_size", kVocabulary}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

inline std::shared_ptr<const Network> RandomNetwork(const Shape& shape, uint64_t seed) {
  return shape.gated ? BuildLlama(LlamaTensors(shape, seed)) : BuildGpt2(Gpt2Tensors(shape, seed));
}

inline std::vector<TokenPair> AllTokens() { return TokensWithEqualId(kVocabulary, kVocabulary); }

inline DeepTest Tested(const Network& a, const Network& b,
                       const std::vector<TokenPair>& tokens = {}) {
  auto test = TestIndependence(a, b, tokens, {.threads = 2});
  EXPECT_TRUE(test) << (test ? "" : DescribeError(test.error()));
  return *test;
}

// A row-major matrix as Armadillo sees it: transposed.
inline arma::fmat Transposed(const TensorValues& tensor) {
  return arma::fmat(tensor.values.data(), tensor.shape[1], tensor.shape[0]);
}

inline TensorValues FromTransposed(const arma::fmat& matrix) {
  return {.shape = {matrix.n_cols, matrix.n_rows},
          .values = std::vector<float>(matrix.begin(), matrix.end())};
}

// The hidden units of a layer in this order.
inline void OrderUnits(Tensors* tensors, uint64_t layer, const arma::uvec& order) {
  TensorValues& down = tensors->at(LlamaName(layer, "mlp.down_proj"));
  down = FromTransposed(arma::fmat(Transposed(down).rows(order)));
  for (const char* part : {"mlp.gate_proj", "mlp.up_proj"}) {
    TensorValues& tensor = tensors->at(LlamaName(layer, part));
    tensor = FromTransposed(arma::fmat(Transposed(tensor).cols(order)));
  }
}

// The hidden units of every layer in another order.
inline void ShuffleUnits(Tensors* tensors, uint64_t layers) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    const uint64_t units = tensors->at(LlamaName(layer, "mlp.down_proj")).shape[1];
    OrderUnits(tensors, layer, ShuffledUnits(static_cast<uint32_t>(units), 50 + layer));
  }
}

// Gains moved into the matrices behind them, then the residual stream rotated.
inline void RotateResidualStream(Tensors* tensors, uint64_t layers) {
  const arma::uword width = tensors->at("model.norm.weight").shape[0];
  const arma::fmat rotation = RandomRotation(width, 77);
  const auto read = [&](const std::string& name, const std::string& norm) {
    TensorValues& tensor = tensors->at(name);
    arma::fmat columns = Transposed(tensor);
    if (!norm.empty()) columns.each_col() %= arma::fvec(tensors->at(norm).values);
    tensor = FromTransposed(rotation * columns);
  };
  const auto write = [&](const std::string& name) {
    TensorValues& tensor = tensors->at(name);
    tensor = FromTransposed(Transposed(tensor) * rotation.t());
  };
  read("model.embed_tokens.weight", "");
  read("lm_head.weight", "model.norm.weight");
  for (uint64_t layer = 0; layer < layers; ++layer) {
    for (const char* part : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}) {
      read(LlamaName(layer, part), LlamaName(layer, "input_layernorm"));
    }
    write(LlamaName(layer, "self_attn.o_proj"));
    for (const char* part : {"mlp.gate_proj", "mlp.up_proj"}) {
      read(LlamaName(layer, part), LlamaName(layer, "post_attention_layernorm"));
    }
    write(LlamaName(layer, "mlp.down_proj"));
    for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) {
      auto& gain = tensors->at(LlamaName(layer, norm)).values;
      std::fill(gain.begin(), gain.end(), 1.0f);
    }
  }
  auto& gain = tensors->at("model.norm.weight").values;
  std::fill(gain.begin(), gain.end(), 1.0f);
}

// Scale, and where it can the sign, moved from down to up, unit by unit.
inline void RescaleUnits(Tensors* tensors, uint64_t layers) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    TensorValues& up = tensors->at(LlamaName(layer, "mlp.up_proj"));
    TensorValues& down = tensors->at(LlamaName(layer, "mlp.down_proj"));
    const uint64_t units = up.shape[0];
    for (uint64_t unit = 0; unit < units; ++unit) {
      const float factor =
          std::pow(10.0f, static_cast<float>(unit % 13) - 6.0f) * (unit % 3 == 0 ? -1.0f : 1.0f);
      for (uint64_t i = 0; i < up.shape[1]; ++i) up.values[unit * up.shape[1] + i] *= factor;
      for (uint64_t i = 0; i < down.shape[0]; ++i) down.values[i * units + unit] /= factor;
    }
  }
}

inline void AddNoise(Tensors* tensors, float fraction) {
  uint64_t seed = 9000;
  for (auto& [name, tensor] : *tensors) {
    if (tensor.shape.size() != 2) continue;
    const TensorValues noise = Normal(tensor.shape, ++seed);
    for (size_t i = 0; i < noise.values.size(); ++i) tensor.values[i] += fraction * noise.values[i];
  }
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_UNIT_NETWORKS_H_
