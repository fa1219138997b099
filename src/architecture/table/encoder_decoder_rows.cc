// Encoder-decoders, and the decoders of them.
#include "architecture/table/architecture_row.h"

namespace tensorguard::internal {
namespace {

using Traits = ArchitectureTraits;
constexpr auto kLearned = PositionScheme::kLearned;
constexpr auto kSinusoidalByWidth = PositionScheme::kSinusoidalByWidth;
constexpr auto kIfTold = EmbeddingScale::kRootOfWidthIfTold;

constexpr Traits kT5 = {.norm = NormKind::kRms,
                        .tied_logits_scaled = true,
                        .scores_scaled = false,
                        .positions = PositionScheme::kRelativeBuckets,
                        .activation = Activation::kRelu};
constexpr Traits kBart = {.norm = NormKind::kLayer,
                          .epsilon = 1e-5,
                          .placement = NormPlacement::kAfterSum,
                          .embedding_scale = kIfTold,
                          .positions = kLearned,
                          .position_offset = 2,
                          .activation = Activation::kGelu};
constexpr Traits kMbart = Varied(kBart, [](Traits& t) { t.placement = NormPlacement::kBefore; });
// Waves in place of a table, counted from behind the padding token.
constexpr Traits kM2m = Varied(kMbart, [](Traits& t) {
  t.positions = PositionScheme::kSinusoidal;
  t.positions_skip_padding = true;
  t.activation = Activation::kRelu;
});

constexpr ArchitectureRow kRows[] = {
    {.name = "switch_transformers",
     .words = "selfattention relative_attention_bias encdecattention router",
     .tied = true,
     .computes = Varied(kT5,
                        [](Traits& t) {
                          t.routing = RoutingKind::kSoftmaxTopK;
                          t.routing_normalised = false;
                          t.experts_per_token = 1;
                          t.buckets_unlent_later = true;
                          t.disputed =
                              "positions behind the first layer: as the version of its library "
                              "that config.json names";
                        })},
    {.name = "t5",
     .also = "umt5 longt5",
     .words = "selfattention relative_attention_bias encdecattention",
     .tied = true,
     .computes = kT5},
    {.name = "mt5",
     .tied = false,
     .computes = Varied(kT5,
                        [](Traits& t) {
                          t.tied_logits_scaled = false;
                          t.activation = Activation::kGeluTanh;
                        })},
    {.name = "bart",
     .also = "plbart mvp trocr",
     .words = "layernorm_embedding encoder_attn shared",
     .computes = kBart},
    {.name = "mbart", .computes = kMbart},
    {.name = "nllb", .like = "mbart"},
    {.name = "pegasus_x",
     .words = "embed_global encoder_attn shared",
     .tied = true,
     .computes = Varied(kMbart,
                        [](Traits& t) {
                          t.positions = PositionScheme::kSinusoidal;
                          t.position_offset = 0;
                        })},
    {.name = "m2m_100", .words = "encoder_attn shared", .tied = true, .computes = kM2m},
    {.name = "nllb-moe",
     .tied = true,
     .computes = Varied(kM2m,
                        [](Traits& t) {
                          t.routing = RoutingKind::kTopTwoByRank;
                          t.routing_normalised = true;
                          t.experts_per_token = 2;
                          t.disputed =
                              "routing of tokens: as the version of its library that config.json "
                              "names";
                        })},
    {.name = "seamless_m4t", .tied = true, .like = "m2m_100"},
    {.name = "seamless_m4t_v2", .tied = true, .like = "m2m_100"},
    {.name = "fsmt",
     .computes = Varied(kM2m, [](Traits& t) { t.placement = NormPlacement::kAfterSum; })},
    {.name = "blenderbot", .computes = Varied(kMbart, [](Traits& t) { t.position_offset = 0; })},
    {.name = "blenderbot-small",
     .computes = Varied(kBart,
                        [](Traits& t) {
                          t.position_offset = 0;
                          t.decoder_norm_before_positions = true;
                        })},
    {.name = "bigbird_pegasus",
     .computes = Varied(kMbart,
                        [](Traits& t) {
                          t.position_offset = 0;
                          t.activation = Activation::kGeluTanh;
                        })},
    {.name = "pegasus",
     .computes = Varied(kMbart,
                        [](Traits& t) {
                          t.positions = kSinusoidalByWidth;
                          t.position_offset = 0;
                          t.activation = Activation::kRelu;
                        })},
    {.name = "prophetnet",
     .words = "ngram_embeddings relative_pos_embeddings",
     .tied = true,
     .computes = Varied(kBart,
                        [](Traits& t) {
                          t.embedding_scale = EmbeddingScale::kOne;
                          t.positions_after_padding = true;
                          t.disputed =
                              "positions of the tokens to predict: as the version of its library "
                              "that config.json names";
                        })},
    {.name = "marian",
     .computes = Varied(kBart,
                        [](Traits& t) {
                          t.positions = kSinusoidalByWidth;
                          t.position_offset = 0;
                          t.activation = Activation::kSilu;
                        })},
    {.name = "whisper",
     .tied = true,
     .computes = Varied(kMbart, [](Traits& t) { t.position_offset = 0; })},
};

}  // namespace

std::span<const ArchitectureRow> EncoderDecoderRows() { return kRows; }

}  // namespace tensorguard::internal
