// Encoders, and decoders built like them.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLayer = NormKind::kLayer;
constexpr auto kBefore = NormPlacement::kBefore;
constexpr auto kAfterSum = NormPlacement::kAfterSum;
constexpr auto kLearned = PositionScheme::kLearned;
constexpr auto kRotary = PositionScheme::kRotary;
constexpr auto kGelu = Activation::kGelu;
constexpr auto kGeluTanh = Activation::kGeluTanh;

constexpr Traits kBert = {.norm = kLayer,
                          .epsilon = 1e-12,
                          .placement = kAfterSum,
                          .causal = false,
                          .positions = kLearned,
                          .activation = kGelu};
// Positions are counted from behind the padding token.
constexpr Traits kRoberta = Varied(kBert, [](Traits& t) {
  t.position_offset = 2;
  t.positions_skip_padding = true;
});

// Positions are counted from the third row on, whatever the tokens are.
constexpr Traits kApart = Varied(kBert, [](Traits& t) {
  t.position_offset = 2;
  t.epsilon = 1e-5;
});

constexpr ArchitectureRow kRows[] = {
    {.name = "distilbert", .words = "q_lin sa_layer_norm", .tied = true, .like = "bert"},
    {.name = "albert",
     .words = "albert_layer_groups",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.layers_repeat = true;
                          t.activation = kGeluTanh;
                        })},
    {.name = "deberta-v2",
     .words = "query_proj intermediate",
     .tied = true,
     .computes = Varied(kBert, [](Traits& t) { t.epsilon = 1e-7; })},
    {.name = "deberta",
     .tied = true,
     .attention_packing = Packing::kInterleavedHeads,
     .like = "deberta-v2"},
    {.name = "modernbert",
     .words = "wqkv wi tok_embeddings",
     .tied = true,
     .up_holds_gate = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .causal = false,
                        .windows_by_default = true,
                        .full_attention_period = 3,
                        .full_attention_first = true,
                        .window_is_both_sides = true,
                        .rotary_base = 160000,
                        .rotary_base_in_windows = 10000,
                        .activation = kGelu}},
    {.name = "modernvbert", .up_holds_gate = true, .like = "modernbert"},
    {.name = "modernbert-decoder",
     .tied = true,
     .up_holds_gate = true,
     .computes = Traits{.norm = kLayer,
                        .epsilon = 1e-5,
                        .windows_by_default = true,
                        .full_attention_period = 3,
                        .full_attention_first = true,
                        .rotary_base = 160000,
                        .rotary_base_in_windows = 10000,
                        .activation = kGelu}},
    {.name = "data2vec-text", .tied = true, .like = "roberta"},
    {.name = "roberta-prelayernorm",
     .tied = true,
     .computes = Varied(kRoberta, [](Traits& t) { t.placement = kBefore; })},
    {.name = "xlm-roberta-xl",
     .tied = true,
     .computes = Varied(kRoberta,
                        [](Traits& t) {
                          t.placement = kBefore;
                          t.epsilon = 1e-5;
                        })},
    {.name = "roberta",
     .also = "xlm-roberta camembert",
     .words = "roberta",
     .tied = true,
     .computes = kRoberta},
    // Each half of its window reaches to one side.
    {.name = "longformer",
     .tied = true,
     .computes = Varied(kRoberta,
                        [](Traits& t) {
                          t.windows_by_default = true;
                          t.window_is_both_sides = true;
                        })},
    {.name = "ibert", .tied = true, .like = "roberta"},
    {.name = "mpnet",
     .tied = true,
     .computes = Varied(kRoberta,
                        [](Traits& t) {
                          t.padding_is_fixed = true;
                          t.relative_buckets_too = true;
                        })},
    {.name = "esm",
     .tied = true,
     .computes = Varied(kRoberta, [](Traits& t) { t.placement = kBefore; })},
    {.name = "bert",
     .words = "word_embeddings query intermediate",
     .tied = true,
     .computes = kBert},
    {.name = "electra", .tied = true, .like = "bert"},
    {.name = "ernie", .like = "bert"},
    {.name = "bert-generation", .tied = true, .like = "bert"},
    {.name = "rembert", .tied = false, .like = "bert"},
    {.name = "layoutlm", .tied = true, .like = "bert"},
    {.name = "tapas", .tied = true, .like = "bert"},
    {.name = "git", .computes = Varied(kBert, [](Traits& t) { t.causal = true; })},
    {.name = "megatron-bert",
     .tied = true,
     .computes = Varied(kBert, [](Traits& t) { t.placement = kBefore; })},
    {.name = "big_bird",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.embedding_scale = EmbeddingScale::kRootOfWidthIfTold;
                          t.activation = kGeluTanh;
                        })},
    {.name = "roformer",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.positions = kRotary;
                          t.rotary_interleaved = true;
                        })},
    {.name = "nomic_bert",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.positions = kRotary;
                          t.rotary_base = 1000;
                          t.activation = Activation::kSilu;
                        })},
    {.name = "jina_embeddings_v3",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.positions = kRotary;
                          t.rotary_base = 20000;
                          t.epsilon = 1e-5;
                        })},
    {.name = "eurobert",
     .tied = false,
     .computes = Traits{.epsilon = 1e-5, .causal = false, .rotary_base = 250000}},
    {.name = "xlm",
     .also = "flaubert",
     .tied = true,
     .computes = Varied(kBert, [](Traits& t) { t.placement_flag = "pre_norm"; })},
    {.name = "fnet",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.fourier_mixing = true;
                          t.activation = kGeluTanh;
                        })},
    // Positions are in the attention.
    {.name = "xlnet",
     .tied = true,
     .computes = Varied(kBert, [](Traits& t) { t.positions = PositionScheme::kNone; })},
    {.name = "squeezebert", .tied = true, .like = "bert"},
    {.name = "convbert", .words = "key_conv_attn_layer", .tied = true, .like = "bert"},
    {.name = "nystromformer",
     .tied = true,
     .computes = Varied(kApart, [](Traits& t) { t.activation = kGeluTanh; })},
    {.name = "yoso",
     .tied = true,
     .computes = Varied(kApart, [](Traits& t) { t.epsilon = 1e-12; })},
    {.name = "mra",
     .tied = true,
     .computes = Varied(kApart,
                        [](Traits& t) {
                          t.disputed =
                              "attention: of all tokens, which its library approximates by blocks";
                        })},
    // Positions are in the attention, as XLNet's.
    {.name = "funnel",
     .words = "r_kernel seg_embed",
     .tied = true,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.positions = PositionScheme::kNone;
                          t.epsilon = 1e-9;
                          t.shortens = true;
                          t.activation = kGeluTanh;
                        })},
    {.name = "mobilebert",
     .words = "bottleneck intermediate",
     .tied = true,
     .computes = Varied(kBert, [](Traits& t) { t.activation = Activation::kRelu; })},
    {.name = "reformer",
     .words = "query_key self_attention",
     .tied = false,
     .computes = Varied(kBert,
                        [](Traits& t) {
                          t.placement = kBefore;
                          t.reversible = true;
                          t.head_bias_counts = false;
                          t.activation = Activation::kRelu;
                        })},
    {.name = "cpmant",
     .tied = true,
     .computes = Traits{.norm = NormKind::kRms,
                        .causal = false,
                        .positions = PositionScheme::kNone,
                        .activation = kGelu}},
};

}  // namespace

std::span<const ArchitectureRow> EncoderRows() { return kRows; }

}  // namespace tensorguard::internal
