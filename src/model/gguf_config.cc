#include "model/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tensorguard {
namespace {

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
});

constexpr std::array kReals = std::to_array<KeyName>({
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"rope.freq_base", "rope_theta"},
});

}  // namespace

Json GgufConfig(const GgufArchitecture& architecture, const GgufMetadata& metadata,
                const WeightSource& weights) {
  Json config = {{"model_type", std::string(architecture.model_type)},
                 {"hidden_act", std::string(architecture.activation)}};
  const auto key = [&](const KeyName& name) {
    return fmt::format("{}.{}", architecture.name, name.gguf);
  };
  for (const KeyName& name : kWholeNumbers) {
    const auto number = metadata.Number(key(name));
    if (number && *number != 0) config[std::string(name.config)] = *number;
  }
  for (const KeyName& name : kReals) {
    if (const auto real = metadata.Real(key(name))) config[std::string(name.config)] = *real;
  }
  config["tie_word_embeddings"] =
      std::none_of(weights.tensors().begin(), weights.tensors().end(),
                   [](const TensorInfo& tensor) { return tensor.name == "lm_head.weight"; });
  return config;
}

}  // namespace tensorguard
