// Small networks of several kinds, and changes of their weights that change nothing of what they
// compute.
#ifndef TENSORGUARD_TESTS_SUPPORT_DISGUISED_MODELS_H_
#define TENSORGUARD_TESTS_SUPPORT_DISGUISED_MODELS_H_

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "fingerprint/sketches/probe_numbers.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {

struct TestNetwork {
  std::string name = {};
  Json config = {};
  std::map<std::string, TensorValues> tensors = {};

  uint64_t hidden = 24;
  uint64_t heads = 4;
  uint64_t key_heads = 2;
  uint64_t head_size = 6;
  uint64_t inner = 40;
  uint64_t layers = 2;
  uint64_t experts = 0;
  uint64_t vocabulary = 60;
  bool gated = true;
  bool layer_norm = false;  // centres: the residual stream must not be rotated
  bool gain_from_one = false;
  bool parallel = false;
};

inline float RandomUnit(uint64_t seed, uint64_t index) {
  const auto bits = static_cast<int64_t>(RandomBits(seed, index)) >> 32;
  return static_cast<float>(bits) / 2147483648.0f;
}

// Adds a tensor of numbers around `centre`.
inline void AddTensor(TestNetwork& network, const std::string& name, std::vector<uint64_t> shape,
                      float width, float centre = 0) {
  const uint64_t seed = std::hash<std::string>()(name) + std::hash<std::string>()(network.name);
  TensorValues tensor = Counted(std::move(shape));
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    tensor.values[i] = centre + width * RandomUnit(seed, i);
  }
  network.tensors[name] = std::move(tensor);
}

inline void AddLinear(TestNetwork& network, const std::string& module, uint64_t outputs,
                      uint64_t inputs, bool bias) {
  AddTensor(network, module + ".weight", {outputs, inputs},
            2 / std::sqrt(static_cast<float>(inputs)));
  if (bias) AddTensor(network, module + ".bias", {outputs}, 0.3f);
}

inline void AddNorm(TestNetwork& network, const std::string& module, float width) {
  AddTensor(network, module + ".weight", {network.hidden}, width, network.gain_from_one ? 0 : 1);
  if (network.layer_norm) AddTensor(network, module + ".bias", {network.hidden}, 0.2f);
}

// The layout of Llama and its kin: norms, projections and, with experts, Mixtral's mixture.
inline TestNetwork LlamaLike(const std::string& name, Json config, bool bias, bool head_tied,
                             TestNetwork network = {}) {
  network.name = name;
  config.update(Json{{"model_type", name},
                     {"hidden_size", network.hidden},
                     {"num_attention_heads", network.heads},
                     {"num_key_value_heads", network.key_heads},
                     {"head_dim", network.head_size},
                     {"intermediate_size", network.inner},
                     {"num_hidden_layers", network.layers},
                     {"vocab_size", network.vocabulary},
                     {"rope_theta", 10000.0},
                     {"max_position_embeddings", 64},
                     {"tie_word_embeddings", head_tied}});
  network.config = std::move(config);
  AddTensor(network, "model.embed_tokens.weight", {network.vocabulary, network.hidden}, 1);
  if (!head_tied) AddLinear(network, "lm_head", network.vocabulary, network.hidden, false);
  // A tied head cannot take the final gain in when the stream is rotated.
  AddNorm(network, "model.norm", head_tied ? 0 : 0.4f);
  for (uint64_t layer = 0; layer < network.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const uint64_t query_rows = network.heads * network.head_size;
    const uint64_t key_rows = network.key_heads * network.head_size;
    AddNorm(network, prefix + "input_layernorm", 0.4f);
    AddNorm(network, prefix + "post_attention_layernorm", 0.4f);
    AddLinear(network, prefix + "self_attn.q_proj", query_rows, network.hidden, bias);
    AddLinear(network, prefix + "self_attn.k_proj", key_rows, network.hidden, bias);
    AddLinear(network, prefix + "self_attn.v_proj", key_rows, network.hidden, bias);
    AddLinear(network, prefix + "self_attn.o_proj", network.hidden, query_rows,
              bias && !network.gated);
    if (network.experts > 0) {
      const std::string mixture = prefix + "block_sparse_moe.";
      AddLinear(network, mixture + "gate", network.experts, network.hidden, false);
      for (uint64_t expert = 0; expert < network.experts; ++expert) {
        const std::string one = mixture + "experts." + std::to_string(expert) + ".";
        AddLinear(network, one + "w1", network.inner, network.hidden, false);
        AddLinear(network, one + "w2", network.hidden, network.inner, false);
        AddLinear(network, one + "w3", network.inner, network.hidden, false);
      }
    } else if (network.gated) {
      AddLinear(network, prefix + "mlp.gate_proj", network.inner, network.hidden, false);
      AddLinear(network, prefix + "mlp.up_proj", network.inner, network.hidden, false);
      AddLinear(network, prefix + "mlp.down_proj", network.hidden, network.inner, false);
    } else {
      AddLinear(network, prefix + "mlp.c_fc", network.inner, network.hidden, bias);
      AddLinear(network, prefix + "mlp.c_proj", network.hidden, network.inner, bias);
    }
  }
  return network;
}

// GPT-J: one LayerNorm in front of attention and feed-forward, which are added together.
inline TestNetwork ParallelNetwork() {
  TestNetwork network = {
      .name = "gptj", .key_heads = 4, .gated = false, .layer_norm = true, .parallel = true};
  network.config = {{"model_type", "gptj"},
                    {"n_embd", network.hidden},
                    {"n_head", network.heads},
                    {"n_layer", network.layers},
                    {"n_inner", network.inner},
                    {"rotary_dim", 4},
                    {"vocab_size", network.vocabulary},
                    {"n_positions", 64},
                    {"activation_function", "gelu_new"},
                    {"tie_word_embeddings", false}};
  AddTensor(network, "transformer.wte.weight", {network.vocabulary, network.hidden}, 1);
  AddNorm(network, "transformer.ln_f", 0.4f);
  AddLinear(network, "lm_head", network.vocabulary, network.hidden, true);
  for (uint64_t layer = 0; layer < network.layers; ++layer) {
    const std::string prefix = "transformer.h." + std::to_string(layer) + ".";
    AddNorm(network, prefix + "ln_1", 0.4f);
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      AddLinear(network, prefix + "attn." + projection, network.hidden, network.hidden, false);
    }
    AddLinear(network, prefix + "mlp.fc_in", network.inner, network.hidden, true);
    AddLinear(network, prefix + "mlp.fc_out", network.hidden, network.inner, true);
  }
  return network;
}

inline std::vector<TestNetwork> TestNetworks() {
  return {
      LlamaLike("llama", {}, false, false),
      LlamaLike("llama", {}, false, true),
      LlamaLike("qwen2", {}, true, false),
      LlamaLike("gemma", {{"hidden_activation", "gelu_pytorch_tanh"}}, false, true,
                {.gain_from_one = true}),
      LlamaLike("mixtral", {{"num_local_experts", 3}, {"num_experts_per_tok", 2}}, false, false,
                {.experts = 3}),
      LlamaLike("starcoder2",
                {{"hidden_act", "gelu_pytorch_tanh"}, {"use_bias", true}, {"norm_epsilon", 1e-5}},
                true, true, {.gated = false, .layer_norm = true}),
      ParallelNetwork(),
  };
}

// ---- Changes

using Places = std::vector<size_t>;

inline Places Shuffled(size_t count, uint64_t seed) {
  Places places(count);
  std::iota(places.begin(), places.end(), size_t{0});
  for (size_t i = count; i > 1; --i) std::swap(places[i - 1], places[RandomBits(seed, i) % i]);
  return places;
}

// Places of runs of `size` that move together.
inline Places InRuns(const Places& runs, size_t size) {
  Places places;
  for (const size_t run : runs) {
    for (size_t i = 0; i < size; ++i) places.push_back(run * size + i);
  }
  return places;
}

inline void TakeRows(TensorValues& tensor, const Places& places) {
  const size_t width = tensor.values.size() / tensor.shape[0];
  const std::vector<float> old = tensor.values;
  for (size_t row = 0; row < places.size(); ++row) {
    std::copy_n(&old[places[row] * width], width, &tensor.values[row * width]);
  }
}

inline void TakeColumns(TensorValues& tensor, const Places& places) {
  const size_t width = tensor.shape.back();
  const std::vector<float> old = tensor.values;
  for (size_t i = 0; i < old.size(); ++i) {
    tensor.values[i] = old[i / width * width + places[i % width]];
  }
}

using Factors = std::function<float(size_t)>;

inline void ScaleRows(TensorValues& tensor, const Factors& factor) {
  const size_t width = tensor.values.size() / tensor.shape[0];
  for (size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] *= factor(i / width);
}

inline void ScaleColumns(TensorValues& tensor, const Factors& factor) {
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    tensor.values[i] *= factor(i % tensor.shape.back());
  }
}

// Calls `change` for each tensor with its role.
inline void ForEachTensor(
    TestNetwork& network,
    const std::function<void(const std::string&, const TensorRole&, TensorValues&)>& change) {
  const Model model = ModelOf(network.tensors, network.config);
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const std::string& name = model.weights->tensors()[i].name;
    change(name, model.architecture.roles[i], network.tensors.at(name));
  }
}

inline bool ReadsStream(const TensorRole& role) {
  const Role r = role.role;
  return !role.is_bias &&
         (r == Role::kQuery || r == Role::kKey || r == Role::kValue || r == Role::kGate ||
          r == Role::kUp || r == Role::kRouter || r == Role::kOutputHead);
}

inline bool WritesStream(const TensorRole& role) {
  return role.role == Role::kOutputProjection || role.role == Role::kDown;
}

inline void PermuteStream(TestNetwork& network) {
  const Places places = Shuffled(network.hidden, 11);
  ForEachTensor(network, [&](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (ReadsStream(role) || role.role == Role::kEmbedding) TakeColumns(tensor, places);
    if (WritesStream(role) || role.role == Role::kNorm) TakeRows(tensor, places);
  });
}

inline void PermuteHeads(TestNetwork& network) {
  const Places groups = Shuffled(network.key_heads, 12);
  const Places keys = InRuns(groups, network.head_size);
  const Places queries = InRuns(groups, network.heads / network.key_heads * network.head_size);
  ForEachTensor(network, [&](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (role.role == Role::kQuery) TakeRows(tensor, queries);
    if (role.role == Role::kKey || role.role == Role::kValue) TakeRows(tensor, keys);
    if (role.role == Role::kOutputProjection && !role.is_bias) TakeColumns(tensor, queries);
  });
}

inline void PermuteHiddenUnits(TestNetwork& network) {
  const Places places = Shuffled(network.inner, 13);
  ForEachTensor(network, [&](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (role.role == Role::kGate || role.role == Role::kUp) TakeRows(tensor, places);
    if (role.role == Role::kDown && !role.is_bias) TakeColumns(tensor, places);
  });
}

// Between query and key, value and output projection, and (gated) up and down.
inline void MoveScales(TestNetwork& network) {
  const auto by_key_head = [&](size_t row) {
    return 1.5f + RandomUnit(14, row / network.head_size);
  };
  const auto by_query_head = [&](size_t row) {
    const size_t group = network.heads / network.key_heads;
    return 1.5f + RandomUnit(14, row / network.head_size / group);
  };
  const auto by_unit = [](size_t unit) { return 1.5f + RandomUnit(15, unit); };
  ForEachTensor(network, [&](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (role.role == Role::kQuery) {
      ScaleRows(tensor, [&](size_t row) { return 1 / by_query_head(row); });
    }
    if (role.role == Role::kKey || role.role == Role::kValue) ScaleRows(tensor, by_key_head);
    if (role.role == Role::kOutputProjection && !role.is_bias) {
      ScaleColumns(tensor, [&](size_t column) { return 1 / by_query_head(column); });
    }
    if (!network.gated) return;
    if (role.role == Role::kUp) ScaleRows(tensor, by_unit);
    if (role.role == Role::kDown && !role.is_bias) {
      ScaleColumns(tensor, [&](size_t unit) { return 1 / by_unit(unit); });
    }
  });
}

// Whether the tensor reads the stream through this norm.
inline bool IsBehind(const std::string& norm, const std::string& name, const TensorRole& role,
                     const TestNetwork& network) {
  const bool final_norm =
      norm.find("layers.") == std::string::npos && norm.find(".h.") == std::string::npos;
  if (final_norm) return role.role == Role::kOutputHead && !role.is_bias;
  const size_t prefix =
      norm.find('.', norm.find(network.parallel ? ".h." : "layers.") + (network.parallel ? 3 : 7));
  if (name.compare(0, prefix, norm, 0, prefix) != 0 || !ReadsStream(role)) return false;
  if (network.parallel) return true;
  const bool attention =
      role.role == Role::kQuery || role.role == Role::kKey || role.role == Role::kValue;
  return attention == (norm.find("input_layernorm") != std::string::npos);
}

// Multiplies the gains of every norm whose readers are its own, and divides the readers.
inline void MoveGains(TestNetwork& network, const std::function<float(float, size_t)>& factor) {
  std::vector<std::string> norms;
  for (const auto& [name, tensor] : network.tensors) {
    const bool norm = name.find("norm.weight") != std::string::npos ||
                      name.find("ln_1.weight") != std::string::npos ||
                      name.find("ln_f.weight") != std::string::npos;
    const bool final_norm =
        name.find("layers.") == std::string::npos && name.find(".h.") == std::string::npos;
    const bool tied = network.tensors.count("lm_head.weight") == 0;
    if (norm && !(final_norm && tied)) norms.push_back(name);
  }
  const float offset = network.gain_from_one ? 1 : 0;
  for (const std::string& norm : norms) {
    TensorValues& gains = network.tensors.at(norm);
    std::vector<float> factors;
    for (size_t i = 0; i < gains.values.size(); ++i) {
      factors.push_back(factor(gains.values[i] + offset, i));
      gains.values[i] = (gains.values[i] + offset) * factors[i] - offset;
    }
    const std::string bias = norm.substr(0, norm.size() - 6) + "bias";
    if (network.layer_norm) {
      ScaleRows(network.tensors.at(bias), [&](size_t i) { return factors[i]; });
    }
    ForEachTensor(network,
                  [&](const std::string& name, const TensorRole& role, TensorValues& tensor) {
                    if (!IsBehind(norm, name, role, network)) return;
                    ScaleColumns(tensor, [&](size_t i) { return 1 / factors[i]; });
                  });
  }
}

// Rows of a random orthogonal matrix, by Gram and Schmidt.
inline std::vector<std::vector<double>> RandomRotation(size_t size, uint64_t seed) {
  std::vector<std::vector<double>> rows(size, std::vector<double>(size));
  for (size_t i = 0; i < size; ++i) {
    for (size_t k = 0; k < size; ++k) rows[i][k] = RandomUnit(seed + i, k);
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t j = 0; j < i; ++j) {
        const double dot = std::inner_product(rows[i].begin(), rows[i].end(), rows[j].begin(), 0.0);
        for (size_t k = 0; k < size; ++k) rows[i][k] -= dot * rows[j][k];
      }
    }
    const double norm =
        std::sqrt(std::inner_product(rows[i].begin(), rows[i].end(), rows[i].begin(), 0.0));
    for (double& value : rows[i]) value /= norm;
  }
  return rows;
}

// REQUIRES: not layer_norm; a tied network's final gains are 1.
inline void RotateStream(TestNetwork& network) {
  MoveGains(network, [](float gain, size_t) { return 1 / gain; });
  const auto rotation = RandomRotation(network.hidden, 16);
  const auto rotate = [&](TensorValues& tensor, size_t stride, size_t first) {
    std::vector<double> turned(network.hidden);
    for (size_t i = 0; i < network.hidden; ++i) {
      for (size_t k = 0; k < network.hidden; ++k) {
        turned[i] += rotation[i][k] * tensor.values[first + k * stride];
      }
    }
    for (size_t i = 0; i < network.hidden; ++i) {
      tensor.values[first + i * stride] = static_cast<float>(turned[i]);
    }
  };
  ForEachTensor(network, [&](const auto&, const TensorRole& role, TensorValues& tensor) {
    const size_t width = tensor.values.size() / tensor.shape[0];
    if (ReadsStream(role) || role.role == Role::kEmbedding) {
      for (size_t row = 0; row < tensor.shape[0]; ++row) rotate(tensor, 1, row * width);
    }
    if (WritesStream(role)) {
      for (size_t column = 0; column < width; ++column) rotate(tensor, width, column);
    }
  });
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_DISGUISED_MODELS_H_
