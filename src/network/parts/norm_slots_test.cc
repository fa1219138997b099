#include "network/parts/norm_slots.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace tensorguard::internal {
namespace {

using Names = std::vector<std::string_view>;
using Slots = std::vector<NormSlot>;

Slots Of(const Names& names, NormPlacement placement = NormPlacement::kBefore,
         bool has_cross_attention = false) {
  return LayerNormSlots(names, has_cross_attention, placement);
}

TEST(LayerNormSlots, OfLlama) {
  EXPECT_EQ(Of({"model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm"}),
            Slots({NormSlot::kMixerInput, NormSlot::kFeedForwardInput}));
}

TEST(LayerNormSlots, OfGemma2StandOnBothSides) {
  EXPECT_EQ(
      Of({"model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm",
          "model.layers.0.post_feedforward_layernorm", "model.layers.0.pre_feedforward_layernorm"}),
      Slots({NormSlot::kMixerInput, NormSlot::kMixerOutput, NormSlot::kFeedForwardOutput,
             NormSlot::kFeedForwardInput}));
}

TEST(LayerNormSlots, OfOlmo2StandBehind) {
  EXPECT_EQ(
      Of({"model.layers.0.post_attention_layernorm", "model.layers.0.post_feedforward_layernorm",
          "model.layers.0.self_attn.k_norm", "model.layers.0.self_attn.q_norm"}),
      Slots({NormSlot::kMixerOutput, NormSlot::kFeedForwardOutput, NormSlot::kKey,
             NormSlot::kQuery}));
}

TEST(LayerNormSlots, OfBertStandOnTheSums) {
  EXPECT_EQ(Of({"bert.encoder.layer.0.attention.output.LayerNorm",
                "bert.encoder.layer.0.output.LayerNorm"}),
            Slots({NormSlot::kMixerSum, NormSlot::kFeedForwardSum}));
}

TEST(LayerNormSlots, OfBartAndOptDifferByPlacement) {
  const Names names = {"model.decoder.layers.0.encoder_attn_layer_norm",
                       "model.decoder.layers.0.final_layer_norm",
                       "model.decoder.layers.0.self_attn_layer_norm"};
  EXPECT_EQ(Of(names, NormPlacement::kAfterSum, true),
            Slots({NormSlot::kCrossSum, NormSlot::kFeedForwardSum, NormSlot::kMixerSum}));
  EXPECT_EQ(Of(names, NormPlacement::kBefore, true),
            Slots({NormSlot::kCrossInput, NormSlot::kFeedForwardInput, NormSlot::kMixerInput}));
}

TEST(LayerNormSlots, OfFnetStandOnTheSums) {
  EXPECT_EQ(Of({"fnet.encoder.layer.0.fourier.output.LayerNorm",
                "fnet.encoder.layer.0.output.LayerNorm"}),
            Slots({NormSlot::kMixerSum, NormSlot::kFeedForwardSum}));
}

// ESM's mixer has a norm of its own, so that of the layer is the feed-forward's.
TEST(LayerNormSlots, OfEsmStandInFront) {
  EXPECT_EQ(Of({"esm.encoder.layer.0.LayerNorm", "esm.encoder.layer.0.attention.LayerNorm"}),
            Slots({NormSlot::kFeedForwardInput, NormSlot::kMixerInput}));
}

TEST(LayerNormSlots, TheOnlyOneStandsInFront) {
  EXPECT_EQ(Of({"transformer.h.0.layer_norm"}), Slots({NormSlot::kMixerInput}));
}

TEST(LayerNormSlots, OfT5CountSublayers) {
  const Names encoder = {"encoder.block.3.layer.0.layer_norm",
                         "encoder.block.3.layer.1.layer_norm"};
  EXPECT_EQ(Of(encoder), Slots({NormSlot::kMixerInput, NormSlot::kFeedForwardInput}));
  const Names decoder = {"decoder.block.3.layer.0.layer_norm", "decoder.block.3.layer.1.layer_norm",
                         "decoder.block.3.layer.2.layer_norm"};
  EXPECT_EQ(Of(decoder, NormPlacement::kBefore, true),
            Slots({NormSlot::kMixerInput, NormSlot::kCrossInput, NormSlot::kFeedForwardInput}));
}

// What lies inside a mixer is the mixer's own.
TEST(LayerNormSlots, LeaveAMixersNormsAlone) {
  EXPECT_EQ(Of({"backbone.layers.0.mixer.norm", "backbone.layers.0.norm"}),
            Slots({NormSlot::kOther, NormSlot::kMixerInput}));
  EXPECT_EQ(Of({"model.layers.0.self_attn.kv_a_layernorm"}), Slots({NormSlot::kOther}));
}

TEST(LayerNormSlots, OfUnknownNamesFollowTheirWords) {
  EXPECT_EQ(Of({"blocks.1.my_attn_norm", "blocks.1.my_ffn_norm"}),
            Slots({NormSlot::kMixerInput, NormSlot::kFeedForwardInput}));
}

TEST(LayerNormSlots, WithoutAKnownNameFollowTheOrder) {
  EXPECT_EQ(Of({"blocks.1.zebra"}), Slots({NormSlot::kMixerInput}));
  EXPECT_EQ(Of({"blocks.1.norm_a", "blocks.1.norm_b"}),
            Slots({NormSlot::kMixerInput, NormSlot::kFeedForwardInput}));
  EXPECT_EQ(Of({"blocks.1.a", "blocks.1.b", "blocks.1.c"}),
            Slots({NormSlot::kOther, NormSlot::kOther, NormSlot::kOther}));
  EXPECT_EQ(Of({"blocks.1.input_layernorm", "blocks.1.zebra"}),
            Slots({NormSlot::kMixerInput, NormSlot::kOther}));
}

TEST(OuterNormSlot, TellsEmbeddingHeadAndEnd) {
  EXPECT_EQ(OuterNormSlot("model.norm"), NormSlot::kFinal);
  EXPECT_EQ(OuterNormSlot("transformer.ln_f"), NormSlot::kFinal);
  EXPECT_EQ(OuterNormSlot("transformer.word_embeddings_layernorm"), NormSlot::kEmbedding);
  EXPECT_EQ(OuterNormSlot("model.encoder.layernorm_embedding"), NormSlot::kEmbedding);
  EXPECT_EQ(OuterNormSlot("cls.predictions.transform.LayerNorm"), NormSlot::kHead);
  EXPECT_EQ(OuterNormSlot("lm_head.layer_norm"), NormSlot::kHead);
  EXPECT_EQ(OuterNormSlot("head.norm"), NormSlot::kHead);
}

}  // namespace
}  // namespace tensorguard::internal
