// Mixtures of experts.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLayer = NormKind::kLayer;

constexpr ArchitectureRow kRows[] = {
    {.name = "gpt_oss",
     .words = "sinks router experts",
     .tied = false,
     .gate_packing = Packing::kInterleavedRows,
     .computes = Traits{.epsilon = 1e-5,
                        .windows_by_default = true,
                        .full_attention_period = 2,
                        .rotary_base = 150000,
                        .feed_forward_clamp = 7.0f,
                        .routing = RoutingKind::kTopKSoftmax}},
    {.name = "deepseek_v3",
     .also = "kimi_k2 deepseek_v32",
     .words = "kv_a_proj_with_mqa experts e_score_correction_bias",
     .tied = false,
     .computes = Traits{.rotary_interleaved = true, .routing = RoutingKind::kSigmoidGroups}},
    {.name = "deepseek_v2",
     .words = "kv_a_proj_with_mqa experts",
     .tied = false,
     .computes = Traits{.rotary_interleaved = true, .routing = RoutingKind::kSoftmaxTopK}},
    {.name = "minicpm3",
     .words = "kv_a_proj_with_mqa",
     .computes = Traits{.rotary_interleaved = false}},
    {.name = "mixtral",
     .words = "block_sparse_moe experts w1 w2 w3",
     .tied = false,
     .computes = Traits{.epsilon = 1e-5,
                        .windows_by_default = true,
                        .rotary_base = 1e6,
                        .routing = RoutingKind::kTopKSoftmax}},
    {.name = "granitemoe",
     .words = "block_sparse_moe input_linear",
     .tied = false,
     .computes = Traits{.routing = RoutingKind::kTopKSoftmax}},
    {.name = "llama4",
     .also = "llama4_text",
     .words = "feed_forward router shared_expert q_proj",
     .tied = false,
     .computes = Traits{.epsilon = 1e-5,
                        .unweighted_query_key_norm = true,
                        .rotary_interleaved = true,
                        .rotary_base = 500000,
                        .unrotated_period = 4,
                        .routing = RoutingKind::kSigmoidInput}},
    {.name = "qwen2_moe",
     .words = "experts shared_expert_gate q_proj",
     .tied = false,
     .computes = Traits{.routing = RoutingKind::kSoftmaxTopK}},
    {.name = "qwen3_moe", .words = "experts q_norm gate_proj", .tied = false, .like = "qwen2_moe"},
    {.name = "olmoe", .tied = false, .like = "qwen2_moe"},
    {.name = "phimoe",
     .tied = false,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .windows_by_default = true,
                        .rotary_base = 1e6,
                        .routing = RoutingKind::kSparseMixer}},
    {.name = "glm4_moe",
     .tied = false,
     .computes =
         Traits{.epsilon = 1e-5, .rotary_fraction = 0.5, .routing = RoutingKind::kSigmoidGroups}},
    {.name = "ernie4_5_moe", .like = "helium"},
};

}  // namespace

std::span<const ArchitectureRow> MixtureRows() { return kRows; }

}  // namespace tensorguard::internal
