#include "architecture/role_table.h"

namespace tensorguard::internal {
namespace {

constexpr Block kAny = Block::kAny;
constexpr Block kAttention = Block::kAttention;
constexpr Block kFeedForward = Block::kFeedForward;
constexpr Block kMixer = Block::kMixer;
constexpr Block kRouter = Block::kRouter;
constexpr Block kHead = Block::kHead;
constexpr Block kLayer = Block::kLayer;
constexpr Block kOutside = Block::kOutside;
constexpr Packing kConcatenated = Packing::kConcatenated;

// To teach a name, add a line. A row that holds in one block only, or beside a sibling only, goes
// before the one that holds everywhere. Words that only outside the layers mean something take
// kOutside, so that they do not catch what lies below them.
constexpr RoleRow kRoleRows[] = {
    // Buffers, before the rows whose words they contain.
    {"inv_freq", kAny, Role::kBuffer},
    {"*rotary*", kAny, Role::kBuffer},
    {"*position_ids", kAny, Role::kBuffer},
    {"token_type_ids", kAny, Role::kBuffer},
    {"masked_bias", kAny, Role::kBuffer},
    {"*mask", kAny, Role::kBuffer},
    {"*_cached", kAny, Role::kBuffer},
    {"*scaling_factor", kAny, Role::kBuffer},  // I-BERT's ranges and scales of activations
    {"*_integer", kAny, Role::kBuffer},
    {"shift", kAny, Role::kBuffer},
    {"x_min", kAny, Role::kBuffer},
    {"x_max", kAny, Role::kBuffer},
    {"freqs_cis", kAny, Role::kBuffer},
    {"rope_freqs", kAny, Role::kBuffer},
    {"relative_position_index", kAny, Role::kBuffer},
    {"slopes", kAny, Role::kBuffer},
    {"slope_rate", kAny, Role::kBuffer},
    {"query_decay", kAny, Role::kBuffer},
    {"key_decay", kAny, Role::kBuffer},
    {"diagonal_decay", kAny, Role::kBuffer},
    {"num_batches_tracked", kAny, Role::kBuffer},

    // Normalisation under any name.
    {"*norm*", kAny, Role::kNorm},
    {"*norm*.scale", kAny, Role::kNorm},  // Grok's and Flax's name for the gain
    {"ln*", kAny, Role::kNorm},
    {"*_ln", kAny, Role::kNorm},
    {"q_weight", kMixer, Role::kNorm},  // PLaMo 2: gains of its query and key norms
    {"q_weight", kAttention, Role::kNorm},
    {"k_weight", kMixer, Role::kNorm},
    {"k_weight", kAttention, Role::kNorm},

    // Positions and segments.
    {"wpe", kAny, Role::kPositionEmbedding},
    {"embed_positions", kAny, Role::kPositionEmbedding},
    {"positions_embed", kAny, Role::kPositionEmbedding},
    {"*position_embedding*", kAny, Role::kPositionEmbedding},
    {"*positional_embedding*", kAny, Role::kPositionEmbedding},
    {"*position_bias*", kAny, Role::kPositionEmbedding},
    {"*pos_emb*", kAny, Role::kPositionEmbedding},
    {"*pos_bias*", kAny, Role::kPositionEmbedding},
    {"position_embd", kAny, Role::kPositionEmbedding},
    {"token_types", kAny, Role::kPositionEmbedding},
    {"token_type_embeddings*", kAny, Role::kPositionEmbedding},
    {"lang_embeddings", kAny, Role::kPositionEmbedding},
    {"seg_embed", kAny, Role::kPositionEmbedding},
    {"relative_attention_bias", kAny, Role::kPositionEmbedding},
    {"rel_embeddings", kAny, Role::kPositionEmbedding},
    {"distance_embedding", kAny, Role::kPositionEmbedding},
    {"rel_pos*", kAny, Role::kPositionEmbedding},
    {"pos_proj", kAttention, Role::kPositionEmbedding},
    {"pos_key_proj", kAttention, Role::kPositionEmbedding},
    {"pos_query_proj", kAttention, Role::kPositionEmbedding},
    {"pos_q_proj", kAttention, Role::kPositionEmbedding},
    {"r_kernel", kAttention, Role::kPositionEmbedding},
    {"mask_emb", kOutside, Role::kPositionEmbedding},  // XLNet: what a token to predict enters as
    {"ngram_embeddings", kOutside, Role::kPositionEmbedding},  // ProphetNet's streams
    {"r", kAttention, Role::kPositionEmbedding},  // XLNet's relative positions, and their biases
    {"r_w_bias", kAttention, Role::kPositionEmbedding},
    {"r_r_bias", kAttention, Role::kPositionEmbedding},
    {"r_s_bias", kAttention, Role::kPositionEmbedding},

    // Token embedding, and what lies between it and the layers.
    {"embed_tokens", kAny, Role::kEmbedding},
    {"tokens_embed", kAny, Role::kEmbedding},
    {"wte", kAny, Role::kEmbedding},
    {"word_embeddings", kAny, Role::kEmbedding},
    {"word_embedding", kAny, Role::kEmbedding},
    {"tok_embeddings", kAny, Role::kEmbedding},
    {"token_embeddings", kAny, Role::kEmbedding},
    {"token_embedding", kAny, Role::kEmbedding},
    {"token_embd", kAny, Role::kEmbedding},
    {"embed_in", kAny, Role::kEmbedding},
    {"input_embedding", kAny, Role::kEmbedding},
    {"embeddings", kOutside, Role::kEmbedding},
    {"embedding", kOutside, Role::kEmbedding},
    {"embed", kOutside, Role::kEmbedding},
    {"emb", kOutside, Role::kEmbedding},
    {"shared", kOutside, Role::kEmbedding},
    {"w", kOutside, Role::kEmbedding},  // CTRL
    {"embedding_hidden_mapping_in", kAny, Role::kEmbeddingProjection},
    {"embeddings_project", kAny, Role::kEmbeddingProjection},
    {"embeddings.projection", kAny, Role::kEmbeddingProjection},
    {"embeddings_projection", kAny, Role::kEmbeddingProjection},
    {"embed_proj", kAny, Role::kEmbeddingProjection},
    {"embedding_transformation", kAny, Role::kEmbeddingProjection},
    {"project_in", kOutside, Role::kEmbeddingProjection},
    {"project_out", kOutside, Role::kEmbeddingProjection},

    // Heads.
    {"lm_head", kAny, Role::kOutputHead},
    {"embed_out", kAny, Role::kOutputHead},
    {"shared_head.head", kAny, Role::kOutputHead},  // of a multi-token layer (DeepSeek V3)
    {"output_layer", kOutside, Role::kOutputHead},
    {"output", kOutside, Role::kOutputHead},
    {"head", kOutside, Role::kOutputHead},
    {"ff_out", kOutside, Role::kOutputHead},  // Molmo, OLMo's own format
    {"unembed", kOutside, Role::kOutputHead},
    {"proj_out", kOutside, Role::kOutputHead},
    {"output_projection", kOutside, Role::kOutputHead},
    {"lm_loss", kOutside, Role::kOutputHead},
    {"generator_lm_head", kOutside, Role::kOutputHead},
    {"pred_layer.proj", kAny, Role::kOutputHead},
    {"vocab_projector", kAny, Role::kOutputHead},
    {"final_logits_bias", kAny, Role::kOutputHead},
    {"decoder", kOutside, Role::kOutputHead},
    {"decoder", kHead, Role::kOutputHead},
    {"predictions", kAny, Role::kOutputHead},  // the logits' bias of BERT and ALBERT
    {"vocab_transform", kAny, Role::kTaskHead},
    {"seq_relationship", kAny, Role::kTaskHead},
    {"*classifier*", kAny, Role::kTaskHead},
    {"*pooler*", kAny, Role::kTaskHead},
    {"*reward*", kAny, Role::kTaskHead},
    {"qa_outputs", kAny, Role::kTaskHead},
    {"contact_head", kAny, Role::kTaskHead},  // ESM: of attention weights
    {"score", kOutside, Role::kTaskHead},
    {"v_head", kAttention, Role::kValue},
    {"v_head", kAny, Role::kTaskHead},
    {"value_head", kAny, Role::kTaskHead},
    {"regression_head", kAny, Role::kTaskHead},
    {"classification_head", kAny, Role::kTaskHead},
    {"dense", kHead, Role::kTaskHead},
    {"dense_prediction", kHead, Role::kTaskHead},
    {"out_proj", kHead, Role::kTaskHead},
    {"summary", kHead, Role::kTaskHead},
    {"out_proj", kOutside, Role::kTaskHead},
    {"dense", kOutside, Role::kTaskHead},
    {"linear", kLayer, Role::kOutputHead},  // last of a list of modules (Phi's first format)
    {"linear", kOutside, Role::kTaskHead},  // a sentence encoder's last projection

    // Routers of a mixture of experts.
    {"gate", kAny, Role::kRouter, "experts"},
    {"gate", kAny, Role::kRouter, "switch_mlp"},
    {"gate", kAny, Role::kRouter, "shared_experts"},
    {"gate", kAny, Role::kRouter, "shared_expert"},
    {"router", kAny, Role::kRouter},
    {"wg", kFeedForward, Role::kRouter},
    {"coefficient", kFeedForward, Role::kRouter},  // Klear: shared expert against the routed ones
    {"ffn_gate_inp*", kAny, Role::kRouter},
    {"*shared_expert_gate", kAny, Role::kRouter},
    {"*score_correction_bias", kAny, Role::kRouter},
    {"expert_bias", kAny, Role::kRouter},
    {"router_bias", kAny, Role::kRouter},

    // Attention: fused.
    {"qkv_proj", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"gqkv_proj", kAny, Role::kQueryKeyValue, {}, Packing::kConcatenatedGateFirst},
    {"q_k_v_proj", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"qkv", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"wqkv", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"w_pack", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"att_proj", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"attn_qkv", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"in_proj", kAttention, Role::kQueryKeyValue, {}, kConcatenated},  // torch's own attention
    {"c_attn", kAny, Role::kKeyValue, "q_attn", kConcatenated},        // GPT-2's cross-attention
    {"c_attn", kAny, Role::kQueryKeyValue, {}, kConcatenated},
    {"attn.attn", kAny, Role::kQueryKeyValue, {}, Packing::kInterleavedGroups},
    {"linear_qkv", kAny, Role::kQueryKeyValue, {}, Packing::kInterleavedGroups},
    {"query_key_value", kAny, Role::kQueryKeyValue, {}, Packing::kInterleavedHeads},
    {"kv_proj", kAny, Role::kMixer, "o_a_proj"},  // DeepSeek V4: one key that is its own value
    {"kv_proj", kAny, Role::kKeyValue, {}, kConcatenated},
    {"wkv", kAttention, Role::kKeyValue, {}, kConcatenated},
    {"to_kv", kAny, Role::kKeyValue, {}, kConcatenated},
    {"kv_einsum", kAny, Role::kKeyValue, {}, kConcatenated},

    // Latent attention.
    {"q_a_proj", kAny, Role::kQueryDown},
    {"wq_a", kAny, Role::kQueryDown},
    {"attn_q_a", kAny, Role::kQueryDown},
    {"q_b_proj", kAny, Role::kQueryUp},
    {"wq_b", kAny, Role::kQueryUp},
    {"attn_q_b", kAny, Role::kQueryUp},
    {"kv_a_proj*", kAny, Role::kKeyValueDown},
    {"wkv_a", kAny, Role::kKeyValueDown},
    {"attn_kv_a*", kAny, Role::kKeyValueDown},
    {"kv_b_proj", kAny, Role::kKeyValueUp},
    {"wkv_b", kAny, Role::kKeyValueUp},
    {"attn_kv_b", kAny, Role::kKeyValueUp},
    {"attn_k_b", kAny, Role::kKeyValueUp},
    {"attn_v_b", kAny, Role::kKeyValueUp},
    {"embed_q", kAttention, Role::kKeyValueUp},
    {"unembed_out", kAttention, Role::kKeyValueUp},

    // ConvBERT's convolutions beside its heads.
    {"key_conv_attn_layer", kAttention, Role::kOther},
    {"conv_kernel_layer", kAttention, Role::kOther},
    {"conv_out_layer", kAttention, Role::kOther},

    // Attention: query, key, value.
    {"query_key", kAttention, Role::kQuery},  // Reformer's hashed layers
    {"q_proj", kAny, Role::kQuery},
    {"q_lin", kAny, Role::kQuery},
    {"query_proj", kAny, Role::kQuery},
    {"q_proj.linear", kAny, Role::kQuery},  // Moshi
    {"k_proj.linear", kAny, Role::kKey},
    {"v_proj.linear", kAny, Role::kValue},
    {"o_proj.linear", kAny, Role::kOutputProjection},
    {"query_global", kAny, Role::kQuery},
    {"query", kAttention, Role::kQuery},
    {"q", kAttention, Role::kQuery},
    {"wq", kAny, Role::kQuery},
    {"c_q", kAny, Role::kQuery},
    {"q_attn", kAny, Role::kQuery},
    {"q_head", kAny, Role::kQuery},
    {"linear_q", kAny, Role::kQuery},
    {"to_q", kAny, Role::kQuery},
    {"attn_q", kAny, Role::kQuery},
    {"project_q", kAny, Role::kQuery},
    {"q_einsum", kAny, Role::kQuery},
    {"k_proj", kAny, Role::kKey},
    {"k_lin", kAny, Role::kKey},
    {"key_proj", kAny, Role::kKey},
    {"key_global", kAny, Role::kKey},
    {"key", kAttention, Role::kKey},
    {"k", kAttention, Role::kKey},
    {"wk", kAny, Role::kKey},
    {"c_k", kAny, Role::kKey},
    {"k_head", kAny, Role::kKey},
    {"linear_k", kAny, Role::kKey},
    {"to_k", kAny, Role::kKey},
    {"attn_k", kAny, Role::kKey},
    {"project_k", kAny, Role::kKey},
    {"v_proj", kAny, Role::kValue},
    {"v_lin", kAny, Role::kValue},
    {"value_proj", kAny, Role::kValue},
    {"value_global", kAny, Role::kValue},
    {"value", kAttention, Role::kValue},
    {"v", kAttention, Role::kValue},
    {"wv", kAny, Role::kValue},
    {"c_v", kAny, Role::kValue},
    {"linear_v", kAttention, Role::kValue},
    {"to_v", kAny, Role::kValue},
    {"attn_v", kAny, Role::kValue},
    {"project_v", kAny, Role::kValue},

    // Attention: output and gate.
    {"output.dense", kAttention, Role::kOutputProjection},
    {"o_proj", kAny, Role::kOutputProjection},
    {"o_a_proj", kAny, Role::kOther},  // first half of a low-rank output, whose second writes
    {"wo_a", kAny, Role::kOther},
    {"o_b_proj", kAny, Role::kOutputProjection},
    {"wo_b", kAny, Role::kOutputProjection},
    {"out_proj", kAttention, Role::kOutputProjection},
    {"out_lin", kAny, Role::kOutputProjection},
    {"dense", kAttention, Role::kOutputProjection},
    {"dense_bias", kAttention, Role::kOutputProjection},
    {"c_proj", kAttention, Role::kOutputProjection},
    {"wo", kAttention, Role::kOutputProjection},
    {"o", kAttention, Role::kOutputProjection},
    {"proj", kAttention, Role::kOutputProjection},
    {"output", kAttention, Role::kOutputProjection},
    {"to_out", kAny, Role::kOutputProjection},
    {"linear_out", kAttention, Role::kOutputProjection},
    {"linear", kAttention, Role::kOutputProjection},  // Grok, beside query, key and value
    {"linear_proj", kAttention, Role::kOutputProjection},
    {"attention_out", kAny, Role::kOutputProjection},
    {"attn_out", kAny, Role::kOutputProjection},
    {"attn_output", kAny, Role::kOutputProjection},
    {"post_proj", kAttention, Role::kOutputProjection},
    {"attn_vec_einsum", kAny, Role::kOutputProjection},
    {"gate_proj", kAttention, Role::kAttentionGate},
    {"g_proj", kAttention, Role::kAttentionGate},
    {"gate", kAttention, Role::kAttentionGate},
    {"attn_gate", kAttention, Role::kAttentionGate},

    // Feed-forward: gate and up fused.
    {"gate_up_proj", kAny, Role::kGateUp, {}, kConcatenated},
    {"gate_up", kAny, Role::kGateUp, {}, kConcatenated},
    {"gated_layers", kAny, Role::kGateUp, {}, kConcatenated},
    {"up_gate_proj", kAny, Role::kGateUp, {}, Packing::kConcatenatedUpFirst},
    {"gate_and_up_proj", kAny, Role::kGateUp, {}, Packing::kConcatenatedUpFirst},  // Hunyuan
    {"ff_proj", kAny, Role::kGateUp, {}, Packing::kConcatenatedUpFirst},
    {"input_linear", kAttention, Role::kQuery},  // JetMoE's experts of attention
    {"output_linear", kAttention, Role::kOutputProjection},
    {"input_linear", kAny, Role::kGateUp, {}, kConcatenated},
    {"proj_1", kFeedForward, Role::kGateUp, {}, kConcatenated},
    {"gating_einsum", kAny, Role::kGateUp, {}, kConcatenated},
    {"ffn_gate_up*", kAny, Role::kGateUp, {}, kConcatenated},

    // Feed-forward: names whose meaning hangs on their siblings.
    {"w1", kAny, Role::kUp, "c_proj"},  // Qwen 1: w2 is the activated half
    {"w2", kAny, Role::kGate, "c_proj"},
    {"w1", kAny, Role::kGate, "w3"},
    {"w1", kAny, Role::kGate, "v1"},
    {"w1", kAny, Role::kUp},
    {"w2", kAny, Role::kDown},
    {"w3", kAny, Role::kUp},
    {"v1", kFeedForward, Role::kUp},
    {"c_fc2", kAny, Role::kGate},
    {"c_fc_0", kAny, Role::kGate},
    {"c_fc_1", kAny, Role::kUp},
    {"wi_0", kAny, Role::kGate},
    {"wi_1", kAny, Role::kUp},
    {"w_0", kFeedForward, Role::kGate},
    {"w_1", kFeedForward, Role::kUp},
    {"fc11", kAny, Role::kUp},
    {"fc12", kAny, Role::kGate},
    {"fc_1", kFeedForward, Role::kGate, "fc_2"},
    {"fc_2", kFeedForward, Role::kUp, "fc_1"},
    {"linear", kFeedForward, Role::kGate, "linear_v"},
    {"linear_1", kFeedForward, Role::kDown, "linear_v"},
    {"linear_v", kFeedForward, Role::kUp},

    // Feed-forward: gate.
    {"gate_proj", kAny, Role::kGate},
    {"ffn_gate*", kAny, Role::kGate},
    {"gate", kFeedForward, Role::kGate},
    {"w_gate", kFeedForward, Role::kGate},

    // Feed-forward: up.
    {"intermediate.dense", kAny, Role::kUp},
    {"dense.dense", kFeedForward, Role::kUp},  // Reformer
    {"intermediate.conv1d", kAny, Role::kUp},  // SqueezeBERT
    {"output.conv1d", kAny, Role::kDown},
    {"post_attention.conv1d", kAny, Role::kOutputProjection},
    {"up_proj", kAny, Role::kUp},
    {"ffn_up*", kAny, Role::kUp},
    {"dense_h_to_4h", kAny, Role::kUp},
    {"c_fc", kAny, Role::kUp},
    {"fc1", kAny, Role::kUp},
    {"fc_in", kAny, Role::kUp},
    {"lin1", kAny, Role::kUp},
    {"linear1", kAny, Role::kUp},
    {"linear_1", kFeedForward, Role::kUp},
    {"linear_fc1", kAny, Role::kUp},
    {"layer_1", kFeedForward, Role::kUp},
    {"dense1", kFeedForward, Role::kUp},
    {"dense_in", kFeedForward, Role::kUp},
    {"intermediate", kFeedForward, Role::kUp},
    {"intermediate_dense", kAny, Role::kUp},
    {"wi", kAny, Role::kUp},
    {"w_in", kFeedForward, Role::kUp},
    {"w_up", kFeedForward, Role::kUp},
    {"up", kFeedForward, Role::kUp},
    {"ffn", kLayer, Role::kUp, "ffn_output"},  // ALBERT
    {"key", kFeedForward, Role::kUp},          // RWKV's channel mixing
    {"in_proj", kFeedForward, Role::kUp},

    // Feed-forward: down.
    {"output.dense", kAny, Role::kDown},
    {"down_proj", kAny, Role::kDown},
    {"ffn_down*", kAny, Role::kDown},
    {"ffn_output", kAny, Role::kDown},
    {"dense_4h_to_h", kAny, Role::kDown},
    {"c_proj", kAny, Role::kDown},
    {"fc2", kAny, Role::kDown},
    {"fc_out", kAny, Role::kDown},
    {"lin2", kAny, Role::kDown},
    {"linear2", kAny, Role::kDown},
    {"linear_2", kFeedForward, Role::kDown},
    {"linear_fc2", kAny, Role::kDown},
    {"layer_2", kFeedForward, Role::kDown},
    {"dense2", kFeedForward, Role::kDown},
    {"dense_out", kFeedForward, Role::kDown},
    {"output", kFeedForward, Role::kDown},
    {"output_dense", kAny, Role::kDown},
    {"output_linear", kAny, Role::kDown},
    {"proj_2", kFeedForward, Role::kDown},
    {"proj", kFeedForward, Role::kDown},
    {"out_proj", kFeedForward, Role::kDown},
    {"wo", kAny, Role::kDown},
    {"w_out", kFeedForward, Role::kDown},
    {"w_down", kFeedForward, Role::kDown},
    {"ff_out", kAny, Role::kDown},
    {"down", kFeedForward, Role::kDown},
    {"value", kFeedForward, Role::kDown},
    {"linear", kFeedForward, Role::kDown},  // Gemma's own format, beside a gating_einsum

    // Mixers: what lies outside a block that is known for one.
    {"receptance", kAny, Role::kMixer},
    {"time_*", kAny, Role::kMixer},
    {"x_k", kFeedForward, Role::kMixer},
    {"conv_k", kAttention, Role::kMixer},
    {"conv_v", kAttention, Role::kMixer},

    // The convolutions that read sound (Whisper).
    {"conv1", kOutside, Role::kModality},
    {"conv2", kOutside, Role::kModality},

    // Other learned factors.
    {"*sinks", kAny, Role::kGain},
    {"*attn_sink", kAny, Role::kGain},
    {"attention_sink_bias", kAny, Role::kGain},
    {"*layer_scal*", kAny, Role::kGain},
    {"per_expert_scale", kAny, Role::kGain},
    {"lambda_*", kAny, Role::kGain},  // differential attention
    {"scale", kAny, Role::kGain},
    {"logit_scale", kAny, Role::kGain},
    {"act_fn", kAny, Role::kGain},
    {"ls1", kAny, Role::kGain},
    {"ls2", kAny, Role::kGain},
    {"cross_attn_attn_gate", kAny, Role::kGain},
    {"cross_attn_mlp_gate", kAny, Role::kGain},
};

}  // namespace

std::span<const RoleRow> RoleRows() { return kRoleRows; }

}  // namespace tensorguard::internal
