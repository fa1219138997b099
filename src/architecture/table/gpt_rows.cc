// GPT-2 and its kin.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLayer = NormKind::kLayer;
constexpr auto kAfterSum = NormPlacement::kAfterSum;
constexpr auto kGelu = Activation::kGelu;
constexpr auto kGeluTanh = Activation::kGeluTanh;

constexpr ArchitectureRow kRows[] = {
    {.name = "qwen", .words = "c_attn w1 w2 wte", .tied = false, .like = "llama"},
    {.name = "gpt_bigcode", .tied = true, .like = "gpt2"},
    {.name = "gpt2",
     .words = "wte wpe c_attn",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .positions = PositionScheme::kLearned,
                        .activation = kGeluTanh}},
    {.name = "ctrl",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .embedding_scale = EmbeddingScale::kRootOfWidth,
                        .positions = PositionScheme::kSinusoidalByWidth,
                        .activation = Activation::kRelu}},
    {.name = "biogpt",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-12,
                        .embedding_scale = EmbeddingScale::kRootOfWidthIfTold,
                        .positions = PositionScheme::kLearned,
                        .position_offset = 2,
                        .activation = kGelu}},
    {.name = "openai-gpt",
     .words = "tokens_embed positions_embed c_attn",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .placement = kAfterSum,
                        .positions = PositionScheme::kLearned,
                        .activation = kGeluTanh,
                        .activation_fixed = true}},
    {.name = "gpt_neo",
     .words = "wte wpe q_proj c_fc",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .scores_scaled = false,
                        .positions = PositionScheme::kLearned,
                        .activation = kGeluTanh}},
    {.name = "exaone", .words = "c_fc_0 c_fc_1", .tied = false, .like = "llama"},
    {.name = "gptj",
     .words = "wte q_proj fc_in",
     .tied = false,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .parallel = true,
                        .rotary_interleaved = true,
                        .activation = kGeluTanh}},
    {.name = "opt",
     .words = "embed_positions fc1 q_proj embed_tokens",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .placement_flag = "do_layer_norm_before",
                        .positions = PositionScheme::kLearned,
                        .position_offset = 2,
                        .activation = Activation::kRelu}},
    {.name = "xglm",
     .tied = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .embedding_scale = EmbeddingScale::kRootOfWidthIfTold,
                        .positions = PositionScheme::kSinusoidal,
                        .position_offset = 2,
                        .activation = kGelu}},
};

}  // namespace

std::span<const ArchitectureRow> GptRows() { return kRows; }

}  // namespace tensorguard::internal
