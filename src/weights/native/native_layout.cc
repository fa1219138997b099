#include "weights/native/native_layout.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

using enum GgufChange;

// The change of rows is that of llama.cpp's converter, which makes this order of Hugging Face's.
constexpr GgufTensorName kNames[] = {
    {"tok_embeddings", "model.embed_tokens"},
    {"norm", "model.norm"},
    {"output", "lm_head"},
    {"rope.freqs", "model.rotary_emb.inv_freq"},
    {"layers.{}.attention_norm", "model.layers.{}.input_layernorm"},
    {"layers.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"},
    {"layers.{}.attention.wq", "model.layers.{}.self_attn.q_proj", kQueryRows},
    {"layers.{}.attention.wk", "model.layers.{}.self_attn.k_proj", kKeyRows},
    {"layers.{}.attention.wv", "model.layers.{}.self_attn.v_proj"},
    {"layers.{}.attention.wo", "model.layers.{}.self_attn.o_proj"},
    {"layers.{}.attention.inner_attention.rope.freqs.weight",
     "model.layers.{}.self_attn.rotary_emb.inv_freq"},
    {"layers.{}.feed_forward.w1", "model.layers.{}.mlp.gate_proj"},
    {"layers.{}.feed_forward.w2", "model.layers.{}.mlp.down_proj"},
    {"layers.{}.feed_forward.w3", "model.layers.{}.mlp.up_proj"},
    {"layers.{}.feed_forward.gate", "model.layers.{}.block_sparse_moe.gate"},
    {"layers.{}.feed_forward.experts.{}.w1", "model.layers.{}.block_sparse_moe.experts.{}.w1"},
    {"layers.{}.feed_forward.experts.{}.w2", "model.layers.{}.block_sparse_moe.experts.{}.w2"},
    {"layers.{}.feed_forward.experts.{}.w3", "model.layers.{}.block_sparse_moe.experts.{}.w3"},
};

constexpr GgufArchitecture kNative = {
    .name = "llama", .with_experts = false, .model_type = "llama", .names = {kNames}};

struct ParamName {
  std::string_view params;
  std::string_view config;
};

constexpr std::array kParams = std::to_array<ParamName>({
    {"dim", "hidden_size"},
    {"n_layers", "num_hidden_layers"},
    {"n_heads", "num_attention_heads"},
    {"n_kv_heads", "num_key_value_heads"},
    {"head_dim", "head_dim"},
    {"hidden_dim", "intermediate_size"},
    {"vocab_size", "vocab_size"},
    {"norm_eps", "rms_norm_eps"},
    {"rope_theta", "rope_theta"},
    {"sliding_window", "sliding_window"},
});

const Json* Member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<uint64_t> FirstNumber(const Json& params,
                                    std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const Json* value = Member(params, key);
    if (value != nullptr && value->is_number_unsigned()) return value->get<uint64_t>();
  }
  return {};
}

// Llama 3.1 and later, by Meta's own code.
void SetScaledRotary(const Json& params, Json& config) {
  const Json* scaled = Member(params, "use_scaled_rope");
  if (scaled == nullptr || !scaled->is_boolean() || !scaled->get<bool>()) return;
  const Json* factor = Member(params, "rope_scale_factor");
  config["rope_scaling"] = {
      {"rope_type", "llama3"},
      {"factor", factor != nullptr && factor->is_number() ? factor->get<double>() : 8.0},
      {"low_freq_factor", 1.0},
      {"high_freq_factor", 4.0},
      {"original_max_position_embeddings", 8192}};
}

}  // namespace

bool HasNativeNames(std::span<const TensorInfo> tensors) {
  const auto has = [&](std::string_view name) {
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](const TensorInfo& tensor) { return tensor.name == name; });
  };
  return has("tok_embeddings.weight") && has("layers.0.attention.wq.weight") &&
         has("layers.0.attention.wk.weight");
}

Result<UndoneConversion> UndoNativeLayout(std::shared_ptr<const WeightSource> stored,
                                          const Json& params) {
  const auto queries = FirstNumber(params, {"n_heads", "num_attention_heads"});
  const auto keys = FirstNumber(params, {"n_kv_heads", "num_key_value_heads"});
  return UndoConversion(std::move(stored), kNative,
                        {.heads = {.queries = queries, .keys = keys ? keys : queries}});
}

Json ConfigOfNative(const Json& params, const WeightSource& weights) {
  Json config = {{"hidden_act", "silu"}, {"rope_theta", 10000.0}};
  for (const ParamName& name : kParams) {
    const Json* value = Member(params, name.params);
    // Meta writes a vocabulary of -1 where its tokenizer tells.
    if (value != nullptr && value->is_number() && value->get<double>() > 0) {
      config[std::string(name.config)] = *value;
    }
  }
  SetScaledRotary(params, config);
  const Json* mixture = Member(params, "moe");
  const auto experts = mixture == nullptr ? std::nullopt : FirstNumber(*mixture, {"num_experts"});
  config["model_type"] = experts ? "mixtral" : Member(params, "multiple_of") ? "llama" : "mistral";
  if (experts) {
    config["num_local_experts"] = *experts;
    const auto used = FirstNumber(*mixture, {"num_experts_per_tok"});
    if (used) config["num_experts_per_tok"] = *used;
  }
  const auto& tensors = weights.tensors();
  config["tie_word_embeddings"] =
      std::none_of(tensors.begin(), tensors.end(),
                   [](const TensorInfo& tensor) { return tensor.name == "lm_head.weight"; });
  return config;
}

}  // namespace tensorguard::internal
