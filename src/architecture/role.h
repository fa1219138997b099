// What a tensor does in the model.
#ifndef TENSORGUARD_ARCHITECTURE_ROLE_H_
#define TENSORGUARD_ARCHITECTURE_ROLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tensorguard {

enum class Role {
  kEmbedding,          // token embedding
  kPositionEmbedding,  // learned positions, relative attention bias, token types
  kOutputHead,         // hidden state to vocabulary logits
  kQuery,
  kKey,
  kValue,
  kQueryKeyValue,    // the three fused in one tensor; see Packing
  kKeyValue,         // key and value fused
  kAttentionOutput,  // output projection of attention
  kQueryDown,
  kQueryUp,
  kKeyValueDown,
  kKeyValueUp,  // latent attention (DeepSeek V2/V3)
  kGate,
  kUp,
  kDown,      // feed-forward; without a gate: up then down
  kGateUp,    // gate and up fused
  kRouter,    // mixture of experts: hidden state to expert scores
  kNorm,      // any normalisation's gain or bias
  kMixer,     // weights of a recurrent or state-space mixer (Mamba, RWKV, linear attention)
  kScale,     // a quantiser's scales, zero points and codes (kept with their tensor)
  kTaskHead,  // classifier, pooler, reward head, masked-language-model transform
  kModality,  // vision or audio tower, projector
  kBuffer,    // not a parameter: rotary frequencies, causal masks, position ids
  kOther,
};

// How a fused tensor's output rows are laid out.
enum class Packing {
  kNone,
  kConcatenated,       // all of q, then all of k, then all of v (or gate, then up)
  kInterleavedHeads,   // per head: its q, k, v (GPT-NeoX, BLOOM)
  kInterleavedGroups,  // per key-value group: its q heads, then k, then v (Falcon, InternLM2)
  kInterleavedRows,    // gate and up alternate row by row (gpt-oss)
};

struct TensorRole {
  Role role = Role::kOther;
  bool is_bias = false;            // the additive bias of that role's layer
  std::optional<uint32_t> layer;   // counted from 0 within its stack
  std::optional<uint32_t> expert;  // one expert of a mixture; empty also for stacked experts
  bool stacked_experts = false;    // first dimension counts experts
  bool shared_expert = false;      // the expert every token goes through
  bool input_major = false;        // stored [in, out] (GPT-2's Conv1D), not [out, in]
  bool cross_attention = false;    // decoder reading the encoder
  Packing packing = Packing::kNone;
  std::string stack;  // "" for the only or text decoder stack, else "encoder",
                      // "decoder", "vision", "audio", "mtp", ...
};

// "embedding", "query", "output_projection", "gate", ...: the names in JSON output.
std::string_view RoleName(Role role);

}  // namespace tensorguard

#endif  // TENSORGUARD_ARCHITECTURE_ROLE_H_
