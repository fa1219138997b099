// The words of a name that tell the block or stack a tensor lies in, and hints for unknown names.
#include "architecture/role_table.h"

namespace tensorguard::internal {
namespace {

constexpr Block kAttention = Block::kAttention;
constexpr Block kFeedForward = Block::kFeedForward;
constexpr Block kMixer = Block::kMixer;
constexpr Block kRouter = Block::kRouter;
constexpr Block kAside = Block::kAside;
constexpr Block kHead = Block::kHead;
constexpr Block kLayer = Block::kLayer;

// The generic reading of names that no row knows.
constexpr HintRow kHintRows[] = {
    {"qkv", kAttention, Role::kQueryKeyValue},
    {"kv", kAttention, Role::kKeyValue},
    {"q", kAttention, Role::kQuery},
    {"query", kAttention, Role::kQuery},
    {"queries", kAttention, Role::kQuery},
    {"k", kAttention, Role::kKey},
    {"key", kAttention, Role::kKey},
    {"keys", kAttention, Role::kKey},
    {"v", kAttention, Role::kValue},
    {"val", kAttention, Role::kValue},
    {"value", kAttention, Role::kValue},
    {"values", kAttention, Role::kValue},
    {"o", kAttention, Role::kOutputProjection},
    {"out", kAttention, Role::kOutputProjection},
    {"output", kAttention, Role::kOutputProjection},
    {"gate", kFeedForward, Role::kGate},
    {"up", kFeedForward, Role::kUp},
    {"in", kFeedForward, Role::kUp},
    {"expand", kFeedForward, Role::kUp},
    {"down", kFeedForward, Role::kDown},
    {"out", kFeedForward, Role::kDown},
    {"output", kFeedForward, Role::kDown},
};

// Words above the last that tell the block; the innermost known one counts.
constexpr BlockRow kBlockRows[] = {
    {"mlstm_layer", kMixer},
    {"linear_attn", kMixer},
    {"linear_attention", kMixer},
    {"*mamba*", kMixer},
    {"ssm", kMixer},
    {"conv", kMixer},
    {"short_conv", kMixer},
    {"time_mix*", kMixer},
    {"rg_lru", kMixer},
    {"post_attention", kLayer},
    {"attentions", kAttention},
    {"att", kAttention},
    {"*attn*", kAttention},
    {"*attention*", kAttention},
    {"self_att", kAttention},
    {"mixer", kAttention},  // unless what lies in it is recurrent
    {"temporal_block", kAttention},
    {"ff", kFeedForward},
    {"fn", kFeedForward},
    {"ffw", kFeedForward},
    {"*ffn*", kFeedForward},
    {"*mlp*", kFeedForward},
    {"*moe*", kFeedForward},
    {"*feed_forward*", kFeedForward},
    {"feedforward", kFeedForward},
    {"densereludense", kFeedForward},
    {"densegateddense", kFeedForward},
    {"gate", kRouter},
    {"router", kRouter},
    {"gating", kRouter},
    {"cls", kHead},
    {"predictions", kHead},
    {"*_predictions", kHead},
    {"lm_head", kHead},
    {"*pooler*", kHead},
    {"*classifier*", kHead},
    {"*classification_head*", kHead},
    {"head", kHead},
    {"score", kHead},
    {"v_head", kHead},
    {"sequence_summary", kHead},
    {"indexer", kAside},
    {"compressor", kAside},
    {"altup", kAside},
    {"laurel", kAside},
    {"hc_*", kAside},
    {"*_hc", kAside},
    {"bottleneck", kAside},
    {"act_fn", kLayer},
};

// Words anywhere in a name that put it into a vision or audio tower or a projector.
constexpr StackRow kModalityRows[] = {
    {"*vision*", "vision"},
    {"*visual*", "vision"},
    {"vison", "vision"},
    {"view_sep*", "vision"},
    {"vpm", "vision"},
    {"vit", "vision"},
    {"*image*", "vision"},
    {"*patch_emb*", "vision"},
    {"sam_model", "vision"},
    {"siglip*", "vision"},
    {"*audio*", "audio"},
    {"*speech*", "audio"},
    {"talker", "audio"},
    {"vocoder", "audio"},
    {"code2wav", "audio"},
    {"token2wav", "audio"},
    {"t2u_model", "audio"},
    {"depth_decoder", "audio"},
    {"resampler", "projector"},
    {"projector", "projector"},
    {"projection", "projector"},
    {"mm_projector", "projector"},
    {"multi_modal_projector", "projector"},
    {"aligner", "projector"},
    {"connector", "projector"},
    {"perceiver*", "projector"},
    {"*qformer*", "projector"},
    {"query_tokens", "projector"},
    {"language_projection", "projector"},
    {"mlp1", "projector"},
};

}  // namespace

std::span<const BlockRow> BlockRows() { return kBlockRows; }
std::span<const StackRow> ModalityRows() { return kModalityRows; }
std::span<const HintRow> HintRows() { return kHintRows; }

}  // namespace tensorguard::internal
