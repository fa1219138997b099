// Decoders whose query, key and value are one tensor.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLayer = NormKind::kLayer;
constexpr auto kGelu = Activation::kGelu;
constexpr auto kGeluTanh = Activation::kGeluTanh;
constexpr auto kHeads = Packing::kInterleavedHeads;
constexpr auto kGroups = Packing::kInterleavedGroups;
constexpr auto kConcatenated = Packing::kConcatenated;

constexpr ArchitectureRow kRows[] = {
    {.name = "bloom",
     .words = "word_embeddings_layernorm query_key_value",
     .tied = true,
     .attention_packing = kHeads,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .residual_after_norm_flag = "apply_residual_connection_post_layernorm",
                        .positions = PositionScheme::kAlibi,
                        .activation = kGeluTanh}},
    {.name = "gpt_neox",
     .also = "gpt_neox_reward_model",
     .words = "embed_in query_key_value",
     .tied = false,
     .attention_packing = kHeads,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .parallel = true,
                        .parallel_flag = "use_parallel_residual",
                        .rotary_fraction = 0.25,
                        .activation = kGelu}},
    {.name = "gpt_neox_japanese",
     .tied = true,
     .attention_packing = kHeads,
     .computes = Traits{.norm = kLayer, .epsilon = 1e-5, .activation = kGelu}},
    {.name = "falcon",
     .also = "refinedweb refinedwebmodel",
     .words = "query_key_value word_embeddings ln_f",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .parallel = true,
                        .parallel_flag = "parallel_attn",
                        .alibi_flag = "alibi",
                        .alibi_before_scale = true,
                        .activation = kGelu}},
    {.name = "chatglm2",
     .also = "chatglm",
     .words = "output_layer query_key_value rotary_pos_emb",
     .words_needed = true,
     .tied = false,
     .attention_packing = kConcatenated,
     .up_holds_gate = true,
     .computes = Traits{.epsilon = 1e-5, .rotary_interleaved = true, .rotary_fraction = 0.5}},
    {.name = "chatglm", .tied = false, .attention_packing = kHeads},
    {.name = "persimmon",
     .also = "fuyu",
     .words = "query_key_value q_layernorm dense_h_to_4h",
     .tied = false,
     .attention_packing = kHeads,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .rotary_fraction = 0.5,
                        .activation = Activation::kSquaredRelu}},
    {.name = "phi3small",
     .tied = true,
     .attention_packing = kGroups,
     .gate_packing = Packing::kInterleavedRows,
     .up_holds_gate = true},
    {.name = "bailing_moe",
     .also = "bailing_moe_linear bailing_moe_v2",
     .words = "query_key_value experts",
     .tied = false,
     .attention_packing = kConcatenated},
    {.name = "internlm2",
     .words = "tok_embeddings wqkv feed_forward",
     .tied = false,
     .attention_packing = kGroups,
     .like = "llama"},
    {.name = "hunyuan", .attention_packing = kGroups, .like = "llama"},
    {.name = "codegen",
     .tied = false,
     .attention_packing = Packing::kQuartersQueryValueKey,
     .like = "gptj"},
    {.name = "mpt",
     .words = "wqkv norm_1 ffn",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .positions = PositionScheme::kAlibi,
                        .activation = kGelu}},
    {.name = "dbrx",
     .words = "norm_attn_norm",
     .tied = false,
     .computes = Traits{.norm = kLayer, .epsilon = 1e-5, .routing = RoutingKind::kSoftmaxTopK}},
    {.name = "phi3",
     .also = "phi4mm",
     .words = "qkv_proj gate_up_proj",
     .tied = false,
     .like = "mistral"},
    {.name = "baichuan", .words = "w_pack", .tied = false, .like = "llama"},
    {.name = "openelm", .words = "qkv_proj proj_1 proj_2", .tied = true, .like = "llama"},
};

}  // namespace

std::span<const ArchitectureRow> FusedRows() { return kRows; }

}  // namespace tensorguard::internal
