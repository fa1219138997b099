// What a tensor does in the model.
#ifndef TENSORGUARD_ROLES_ROLE_H_
#define TENSORGUARD_ROLES_ROLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tensorguard::internal {

enum class Role {
  kEmbedding,            // token embedding
  kEmbeddingProjection,  // between a narrow embedding and the hidden width (ALBERT, OPT-350m)
  kPositionEmbedding,    // learned positions, relative attention bias, token types
  kOutputHead,           // hidden state to vocabulary logits
  kQuery,
  kKey,
  kValue,
  kQueryKeyValue,     // the three fused in one tensor; see Packing
  kKeyValue,          // key and value fused
  kOutputProjection,  // output projection of attention
  kAttentionGate,     // hidden state to a factor on the result of attention
  kQueryDown,
  kQueryUp,
  kKeyValueDown,
  kKeyValueUp,  // latent attention (DeepSeek V2/V3); MLX keeps its key and value halves apart
  kGate,
  kUp,
  kDown,      // feed-forward; without a gate: up then down
  kGateUp,    // gate and up fused; see Packing
  kRouter,    // mixture of experts: hidden state to expert scores
  kNorm,      // any normalisation's gain or bias
  kMixer,     // weights of a recurrent or state-space mixer (Mamba, RWKV, linear attention)
  kGain,      // other learned factors: attention sinks, layer scales, activation parameters
  kScale,     // a quantiser's scales, zero points and tables; its codes have their tensor's role
  kTaskHead,  // classifier, pooler, reward head, masked-language-model transform
  kModality,  // vision or audio tower, projector
  kAdapter,   // low-rank update kept beside its matrix
  kBuffer,    // not a parameter: rotary frequencies, causal masks, position ids
  kOther,
};

// How the output rows of a tensor with more than one meaning are laid out.
enum class Packing {
  kNone,
  kConcatenated,           // all of q, then all of k, then all of v (or gate, then up)
  kConcatenatedUpFirst,    // all of up, then all of gate (the half that is activated)
  kInterleavedHeads,       // per head: its q, k, v (GPT-NeoX, BLOOM)
  kInterleavedGroups,      // per key-value group: its q heads, then k, then v (Falcon, InternLM2)
  kInterleavedRows,        // gate and up alternate row by row (gpt-oss)
  kInterleavedGate,        // a query matrix: per head its query, then its output gate (Qwen3-Next)
  kConcatenatedGateFirst,  // all of a gate on what the heads give, then q, k and v (HRM)
  kQuartersQueryValueKey,  // four blocks, each all of its q, then v, then k (CodeGen)
};

struct TensorRole {
  Role role = Role::kOther;
  Role companion_of = Role::kOther;     // of a kScale: the role of the tensor that it belongs to
  bool is_bias = false;                 // the additive bias of that role's layer
  std::optional<uint32_t> layer = {};   // counted from 0 within its stack
  std::optional<uint32_t> expert = {};  // one expert of a mixture; empty also for stacked experts
  bool stacked_experts = false;         // first dimension counts experts
  bool shared_expert = false;           // the expert every token goes through, and its gate
  bool input_major = false;             // stored [in, out] (GPT-2's Conv1D), not [out, in]
  bool cross_attention = false;         // decoder reading the encoder
  Packing packing = Packing::kNone;
  std::string stack = {};  // "" for the only or main stack of a model with one text stack, else
                           // "encoder", "decoder", "vision", "audio", "projector", "mtp" or the
                           // name of the side model
};

// "embedding", "query", "output_projection", "gate", ...: the names in JSON output.
std::string_view RoleName(Role role);

// What a table of tensors shows: "bias" for the additive bias of a linear layer, whatever its role;
// else RoleName. A norm's bias stays a norm.
std::string_view ShownRoleName(const TensorRole& role);

// "concatenated", "interleaved_heads", ...
std::string_view PackingName(Packing packing);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_ROLE_H_
