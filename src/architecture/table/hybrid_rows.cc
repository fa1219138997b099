// Recurrent and hybrid architectures.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLayer = NormKind::kLayer;
constexpr auto kGeluTanh = Activation::kGeluTanh;

constexpr ArchitectureRow kRows[] = {
    {.name = "rwkv",
     .words = "time_decay receptance",
     .tied = false,
     .computes = Traits{.norm = kLayer, .epsilon = 1e-5, .positions = PositionScheme::kNone}},
    {.name = "jamba",
     .words = "mamba self_attn router",
     .tied = false,
     .computes = Traits{.positions = PositionScheme::kNone, .routing = RoutingKind::kSoftmaxTopK}},
    {.name = "qwen3_next",
     .words = "linear_attn in_proj_qkvz",
     .tied = false,
     .query_holds_gate = true,
     .computes =
         Traits{
             .gain_plus_one = true, .rotary_fraction = 0.25, .routing = RoutingKind::kSoftmaxTopK}},
    {.name = "qwen3_5_moe",
     .also = "qwen3_5_moe_text",
     .words = "linear_attn in_proj_qkv experts",
     .tied = false,
     .query_holds_gate = true,
     .computes = Traits{.gain_plus_one = true,
                        .rotary_fraction = 0.25,
                        .routing = RoutingKind::kSoftmaxTopK,
                        .routing_normalised = true}},
    {.name = "qwen3_5",
     .also = "qwen3_5_text",
     .words = "linear_attn in_proj_qkv",
     .tied = false,
     .query_holds_gate = true,
     .like = "qwen3_next"},
    {.name = "mamba",
     .words = "a_log mixer x_proj",
     .tied = true,
     .computes = Traits{.epsilon = 1e-5, .positions = PositionScheme::kNone}},
    {.name = "mamba2", .words = "a_log mixer dt_bias", .tied = false, .like = "mamba"},
    {.name = "zamba",
     .words = "shared_transf mamba_decoder",
     .tied = true,
     .computes =
         Traits{
             .epsilon = 1e-5, .positions = PositionScheme::kNone, .activation = Activation::kGelu}},
    // Rotated where config.json says so.
    {.name = "zamba2",
     .words = "shared_transformer mamba_decoder",
     .tied = true,
     .computes = Traits{.epsilon = 1e-5, .activation = Activation::kGelu}},
    {.name = "falcon_mamba", .like = "mamba"},
    {.name = "recurrent_gemma",
     .computes = Traits{.gain_plus_one = true,
                        .embedding_scale = EmbeddingScale::kRootOfWidth,
                        .windows_by_default = true,
                        .rotary_fraction = 0.5,
                        .activation = kGeluTanh,
                        .activation_fixed = true}},
    {.name = "xlstm", .tied = false, .computes = Traits{.positions = PositionScheme::kNone}},
    {.name = "falcon_h1", .tied = false, .computes = Traits{.epsilon = 1e-5}},
    {.name = "nemotron_h",
     .tied = false,
     .computes = Traits{.epsilon = 1e-5,
                        .positions = PositionScheme::kNone,
                        .activation = Activation::kSquaredRelu,
                        .routing = RoutingKind::kSigmoidGroups}},
    // Rotated only where config.json says a base.
    {.name = "olmo_hybrid", .tied = false, .computes = Traits{.rotary_where_stated = true}},
    {.name = "bamba", .computes = Traits{.epsilon = 1e-5, .rotary_fraction_counts = false}},
    // Without rotation, unless config.json says otherwise.
    {.name = "granitemoehybrid",
     .computes = Traits{.positions = PositionScheme::kNone, .routing = RoutingKind::kTopKSoftmax}},
    {.name = "minimax",
     .computes = Traits{.epsilon = 1e-5,
                        .residual_after_norm = true,
                        .rotary_base = 1e6,
                        .routing = RoutingKind::kTopKSoftmax}},
};

}  // namespace

std::span<const ArchitectureRow> HybridRows() { return kRows; }

}  // namespace tensorguard::internal
