#include "model/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostCounted = 1 << 28;

struct KeyName {
  std::string_view gguf;  // after "ARCHITECTURE."
  std::string_view config;
};

constexpr std::array kWholeNumbers = std::to_array<KeyName>({
    {"block_count", "num_hidden_layers"},
    {"context_length", "max_position_embeddings"},
    {"embedding_length", "hidden_size"},
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"attention.sliding_window", "sliding_window"},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_group_count", "n_group"},
    {"expert_group_used_count", "topk_group"},
    {"leading_dense_block_count", "first_k_dense_replace"},
    {"decoder_block_count", "num_decoder_layers"},
    {"attention.q_lora_rank", "q_lora_rank"},
    {"attention.kv_lora_rank", "kv_lora_rank"},
});

constexpr std::array kReals = std::to_array<KeyName>({
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.layer_norm_epsilon", "layer_norm_eps"},
    {"rope.freq_base", "rope_theta"},
    {"embedding_scale", "embedding_multiplier"},
    {"residual_scale", "residual_multiplier"},
    {"attention.scale", "attention_multiplier"},
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"expert_weights_scale", "routed_scaling_factor"},
});

constexpr std::array kFlags = std::to_array<KeyName>({
    {"use_parallel_residual", "use_parallel_residual"},
    {"expert_weights_norm", "norm_topk_prob"},
});

// The metadata of one architecture.
class Keys {
 public:
  Keys(std::string_view architecture, const GgufMetadata& metadata)
      : architecture_(architecture), metadata_(metadata) {}

  std::optional<uint64_t> Number(std::string_view key) const {
    return metadata_.Number(Whole(key));
  }
  std::optional<double> Real(std::string_view key) const { return metadata_.Real(Whole(key)); }
  std::optional<std::string> Text(std::string_view key) const { return metadata_.Text(Whole(key)); }
  std::optional<bool> Flag(std::string_view key) const { return metadata_.Flag(Whole(key)); }

 private:
  std::string Whole(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }

  std::string_view architecture_;
  const GgufMetadata& metadata_;
};

bool IsHead(std::string_view name) {
  return name == "lm_head.weight" || name == "embed_out.weight";
}

// Columns of each head that turn, and those of latent attention that do not.
void SetRotary(const Keys& keys, Json& config) {
  const auto turned = keys.Number("rope.dimension_count");
  auto size = keys.Number("attention.key_length_mla");
  if (!size) size = keys.Number("attention.key_length");
  if (!size) {
    const auto width = keys.Number("embedding_length");
    const auto heads = keys.Number("attention.head_count");
    if (width && heads && *heads != 0) size = *width / *heads;
  }
  if (!turned || !size || *turned == 0 || *turned > *size) return;
  if (!keys.Number("attention.kv_lora_rank")) {
    config["partial_rotary_factor"] = static_cast<double>(*turned) / static_cast<double>(*size);
    return;
  }
  config["qk_rope_head_dim"] = *turned;
  config["qk_nope_head_dim"] = *size - *turned;
  auto values = keys.Number("attention.value_length_mla");
  if (!values) values = keys.Number("attention.value_length");
  if (values) config["v_head_dim"] = *values;
}

// How rotary frequencies are stretched for long texts.
void SetRotaryScaling(const Keys& keys, Json& config) {
  constexpr std::array kNumbers = std::to_array<KeyName>({
      {"rope.scaling.factor", "factor"},
      {"rope.scaling.yarn_beta_fast", "beta_fast"},
      {"rope.scaling.yarn_beta_slow", "beta_slow"},
  });
  const auto type = keys.Text("rope.scaling.type");
  if (type != "linear" && type != "yarn") return;
  Json& scaling = config["rope_scaling"];  // holds what the architecture says, or nothing
  scaling["rope_type"] = *type;
  for (const KeyName& name : kNumbers) {
    if (const auto number = keys.Real(name.gguf)) scaling[std::string(name.config)] = *number;
  }
  const auto length = keys.Number("rope.scaling.original_context_length");
  if (length) scaling["original_max_position_embeddings"] = *length;
}

// The head's factor: Cohere multiplies by it, all others divide.
void SetLogitScale(const Keys& keys, std::string_view model_type, Json& config) {
  const auto scale = keys.Real("logit_scale");
  if (!scale) return;
  config[model_type.starts_with("cohere") ? "logit_scale" : "logits_scaling"] = *scale;
}

}  // namespace

Json GgufConfig(const GgufArchitecture& architecture, const GgufMetadata& metadata,
                const WeightSource& weights) {
  Json config = Json::parse(architecture.config);
  config["model_type"] = std::string(architecture.model_type);
  const Keys keys(architecture.name, metadata);
  for (const KeyName& name : kWholeNumbers) {
    const auto number = keys.Number(name.gguf);
    if (number && *number != 0) config[std::string(name.config)] = *number;
  }
  for (const KeyName& name : kReals) {
    if (const auto real = keys.Real(name.gguf)) config[std::string(name.config)] = *real;
  }
  for (const KeyName& name : kFlags) {
    if (const auto flag = keys.Flag(name.gguf)) config[std::string(name.config)] = *flag;
  }
  SetRotary(keys, config);
  SetRotaryScaling(keys, config);
  SetLogitScale(keys, architecture.model_type, config);
  config["tie_word_embeddings"] =
      std::none_of(weights.tensors().begin(), weights.tensors().end(),
                   [](const TensorInfo& tensor) { return IsHead(tensor.name); });
  return config;
}

Result<void> CheckGgufNumbers(const GgufArchitecture& architecture, const GgufMetadata& metadata) {
  const auto find = [&](const KeyName& name) -> const GgufValue* {
    const auto found = metadata.values().find(fmt::format("{}.{}", architecture.name, name.gguf));
    return found == metadata.values().end() ? nullptr : &found->second;
  };
  const auto wrong = [&](const KeyName& name, std::string expected) {
    return Error{.problem = fmt::format("metadata \"{}.{}\" is no number that a model has",
                                        architecture.name, name.gguf),
                 .expected = std::move(expected)};
  };
  for (const KeyName& name : kWholeNumbers) {
    const GgufValue* value = find(name);
    // Some count layer by layer.
    if (value == nullptr || std::holds_alternative<std::vector<double>>(*value)) continue;
    const auto* number = std::get_if<uint64_t>(value);
    const bool needed = name.gguf == "block_count" || name.gguf == "embedding_length";
    if (number == nullptr || *number > kMostCounted || (needed && *number == 0)) {
      return wrong(name, fmt::format("a whole number up to {}", kMostCounted));
    }
  }
  for (const KeyName& name : kReals) {
    const GgufValue* value = find(name);
    if (value == nullptr) continue;
    const auto real = metadata.Real(fmt::format("{}.{}", architecture.name, name.gguf));
    if (!real || !std::isfinite(*real)) return wrong(name, "a finite number");
  }
  return {};
}

}  // namespace tensorguard::internal
