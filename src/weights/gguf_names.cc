#include "weights/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tensorguard {
namespace {

using enum GgufChange;

constexpr std::array kOuter = std::to_array<GgufTensorName>({
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
});

constexpr std::array kGemmaOuter = std::to_array<GgufTensorName>({
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm", kOneAdded},
});

// Rotary pairs are neighbours in llama.cpp's function for Llama.
constexpr std::array kLlama = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj", kQueryRows},
    {"attn_k", "self_attn.k_proj", kKeyRows},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
});

constexpr std::array kMixtral = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj", kQueryRows},
    {"attn_k", "self_attn.k_proj", kKeyRows},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate_inp", "block_sparse_moe.gate"},
    {"ffn_gate_exps", "block_sparse_moe.experts.{}.w1", kExpertsJoined},
    {"ffn_up_exps", "block_sparse_moe.experts.{}.w3", kExpertsJoined},
    {"ffn_down_exps", "block_sparse_moe.experts.{}.w2", kExpertsJoined},
});

constexpr std::array kQwen = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
});

constexpr std::array kQwenExperts = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate_inp", "mlp.gate"},
    {"ffn_gate_exps", "mlp.experts.{}.gate_proj", kExpertsJoined},
    {"ffn_up_exps", "mlp.experts.{}.up_proj", kExpertsJoined},
    {"ffn_down_exps", "mlp.experts.{}.down_proj", kExpertsJoined},
});

constexpr std::array kGemma = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm", kOneAdded},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm", kOneAdded},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
});

constexpr std::array kPhi3 = std::to_array<GgufTensorName>({
    {"attn_norm", "input_layernorm"},
    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_up", "mlp.gate_up_proj"},
    {"ffn_down", "mlp.down_proj"},
});

constexpr std::array kArchitectures = std::to_array<GgufArchitecture>({
    {"llama", false, "llama", kOuter, kLlama, "silu"},
    {"llama", true, "mixtral", kOuter, kMixtral, "silu"},
    {"qwen2", false, "qwen2", kOuter, kQwen, "silu"},
    {"qwen3", false, "qwen3", kOuter, kQwen, "silu"},
    {"qwen3moe", true, "qwen3_moe", kOuter, kQwenExperts, "silu"},
    {"gemma", false, "gemma", kGemmaOuter, kGemma, "gelu_pytorch_tanh"},
    {"phi3", false, "phi3", kOuter, kPhi3, "silu"},
});

const GgufTensorName* Find(std::span<const GgufTensorName> names, std::string_view part) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const GgufTensorName& name) { return name.part == part; });
  return found == names.end() ? nullptr : &*found;
}

// "3" of "blk.3.attn_q", and "attn_q" left in `name`. Empty if it is not of that form.
std::optional<std::string_view> TakeLayer(std::string_view& name) {
  constexpr std::string_view kPrefix = "blk.";
  constexpr size_t kMostDigits = 6;
  if (!name.starts_with(kPrefix)) return {};
  const std::string_view rest = name.substr(kPrefix.size());
  const size_t dot = rest.find('.');
  if (dot == rest.npos || dot == 0 || dot > kMostDigits) return {};
  const std::string_view digits = rest.substr(0, dot);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return {};
  }
  name = rest.substr(dot + 1);
  return digits;
}

}  // namespace

const GgufArchitecture* FindGgufArchitecture(std::string_view name, bool with_experts) {
  for (const GgufArchitecture& architecture : kArchitectures) {
    if (architecture.name == name && architecture.with_experts == with_experts) {
      return &architecture;
    }
  }
  return nullptr;
}

std::string KnownGgufArchitectures() {
  std::string names;
  for (const GgufArchitecture& architecture : kArchitectures) {
    names += fmt::format("{}{}{}", names.empty() ? "" : ", ", architecture.name,
                         architecture.with_experts ? " with experts" : "");
  }
  return names;
}

std::optional<HubName> HubNameOf(const GgufArchitecture& architecture, std::string_view gguf_name) {
  // Llama 3's factors on rotary frequencies: no parameter.
  if (gguf_name == "rope_freqs.weight") return HubName{.name = "model.rotary_emb.inv_freq"};
  const size_t ending_begin = gguf_name.rfind('.');
  if (ending_begin == gguf_name.npos) return {};
  const std::string_view ending = gguf_name.substr(ending_begin);
  if (ending != ".weight" && ending != ".bias") return {};
  std::string_view part = gguf_name.substr(0, ending_begin);
  const auto layer = TakeLayer(part);
  const GgufTensorName* name = Find(layer ? architecture.layers : architecture.outer, part);
  if (name == nullptr) return {};
  const std::string prefix = layer ? fmt::format("model.layers.{}.", *layer) : "";
  return HubName{.name = fmt::format("{}{}{}", prefix, name->hub_part, ending),
                 .change = name->change};
}

}  // namespace tensorguard
