// Names whose meaning hangs on their place, their siblings, the architecture or the shape; and
// hostile lists.
#include "architecture/architecture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/named_tensors.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

TEST(Understand, ReadsDenseByItsPlace) {
  EXPECT_THAT(RolesOf({"bert.encoder.layer.0.attention.output.dense.weight",
                       "bert.encoder.layer.0.intermediate.dense.weight",
                       "bert.encoder.layer.0.output.dense.bias",
                       "transformer.h.0.self_attention.dense.weight", "bert.pooler.dense.weight",
                       "lm_head.dense.weight"}),
              ElementsAre("output_projection", "up", "down+bias", "output_projection", "task_head",
                          "task_head"));
}

TEST(Understand, ReadsProjectionsByTheirBlock) {
  EXPECT_THAT(
      RolesOf({"h.0.attn.c_proj.weight", "h.0.mlp.c_proj.weight", "layers.0.attn.out_proj.weight",
               "layers.0.mamba.out_proj.weight", "blocks.0.attn.proj.weight",
               "layers.0.attention.wo.weight", "layers.0.mlp.wo.weight"}),
      ElementsAre("output_projection", "down", "output_projection", "mixer", "output_projection",
                  "output_projection", "down"));
}

TEST(Understand, TellsW1ToW3ByTheirSiblings) {
  EXPECT_THAT(RolesOf({"h.0.mlp.w1.weight", "h.0.mlp.w2.weight", "h.0.mlp.c_proj.weight"}),
              ElementsAre("up", "gate", "down"))
      << "Qwen 1 activates w2";
  EXPECT_THAT(RolesOf({"layers.0.feed_forward.w1.weight", "layers.0.feed_forward.w2.weight",
                       "layers.0.feed_forward.w3.weight"}),
              ElementsAre("gate", "down", "up"));
  EXPECT_THAT(RolesOf({"layers.0.feed_forward.w1.weight", "layers.0.feed_forward.w2.weight"}),
              ElementsAre("up", "down"));
  EXPECT_THAT(RolesOf({"blocks.0.ffn.experts.3.w1.weight", "blocks.0.ffn.experts.3.v1.weight",
                       "blocks.0.ffn.experts.3.w2.weight"}),
              ElementsAre("gate[expert]", "up[expert]", "down[expert]"));
}

TEST(Understand, TellsARouterFromAGate) {
  EXPECT_THAT(RolesOf({"layers.0.mlp.gate.weight", "layers.0.mlp.experts.0.gate_proj.weight",
                       "layers.0.mlp.shared_expert_gate.weight", "layers.1.mlp.gate.weight",
                       "layers.1.mlp.up.weight", "layers.2.self_attn.gate_proj.weight",
                       "layers.2.mlp.gate.e_score_correction_bias",
                       "layers.2.mlp.router.classifier.weight"}),
              ElementsAre("router", "gate[expert]", "router[shared]", "gate", "up",
                          "attention_gate", "router+bias", "router"));
}

TEST(Understand, ReadsASequentialFeedForwardByItsOrder) {
  EXPECT_THAT(RolesOf({"layers.0.mlp.0.weight", "layers.0.mlp.0.bias", "layers.0.mlp.2.weight"}),
              ElementsAre("up", "up+bias", "down"));
}

TEST(Understand, TakesABlockWithRecurrentModulesForAMixer) {
  EXPECT_THAT(RolesOf({"layers.0.mixer.in_proj.weight", "layers.0.mixer.out_proj.weight",
                       "layers.0.mixer.A_log", "layers.0.mixer.norm.weight",
                       "layers.1.mixer.q_proj.weight", "layers.1.mixer.o_proj.weight"}),
              ElementsAre("mixer", "mixer", "mixer", "norm", "query", "output_projection"));
}

TEST(Understand, KnowsCausalMasksFromBiases) {
  EXPECT_THAT(RolesOf({"h.0.attn.bias", "h.0.attn.masked_bias", "h.0.attn.c_attn.bias",
                       "layers.0.attention.rotary_emb.inv_freq", "embeddings.position_ids"}),
              ElementsAre("buffer", "buffer", "query_key_value+bias", "buffer", "buffer"));
}

TEST(Understand, GivesQuantisersCodesTheirTensorsRole) {
  EXPECT_THAT(RolesOf({"layers.0.self_attn.q_proj.qweight", "layers.0.self_attn.q_proj.qzeros",
                       "layers.0.self_attn.q_proj.scales", "layers.0.self_attn.q_proj.g_idx",
                       "layers.0.self_attn.k_proj.weight", "layers.0.self_attn.k_proj.biases",
                       "layers.0.self_attn.k_proj.bias", "layers.0.mlp.up_proj.weight.absmax",
                       "layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4",
                       "layers.0.mlp.experts.gate_up_proj_blocks",
                       "layers.0.mlp.experts.gate_up_proj_scales"}),
              ElementsAre("query", "scale of query", "scale of query", "scale of query", "key",
                          "scale of key", "key+bias", "scale of up", "scale of up",
                          "gate_up[stacked]", "scale of gate_up"));
}

TEST(Understand, ReadsASoleScaleAsALearnedFactor) {
  EXPECT_THAT(RolesOf({"layers.0.router.proj.weight", "layers.0.router.scale",
                       "layers.0.attn.wkv.weight", "layers.0.attn.wkv.scale"}),
              ElementsAre("router", "gain", "key_value", "scale of key_value"));
}

TEST(Understand, PeelsWrappersOfAnyName) {
  for (const std::string prefix :
       {"", "model.", "language_model.model.", "model.language_model.", "transformer.",
        "llm.model.", "embedding_model.", "base_model.model.model.", "_orig_mod.module.",
        "vlm.lang_model.model.", "something.never.seen."}) {
    const Architecture read = UnderstandNames(
        {prefix + "embed_tokens.weight", prefix + "layers.0.self_attn.q_proj.weight",
         prefix + "layers.11.mlp.down_proj.weight", prefix + "norm.weight"});
    EXPECT_EQ(DescribeStack(read, ""), "embedding norm | 0: query | 11: down") << prefix;
    EXPECT_EQ(read.layers, 12u) << prefix;
  }
}

TEST(Understand, FindsLayersInListsOfAnyName) {
  for (const std::string list : {"layers.", "h.", "blocks.", "block.", "encoder.layer.", "blk.",
                                 "decoder_layers.", "layer_", "h_", "block", "cells."}) {
    const Architecture read = UnderstandNames({"net." + list + "7.attn.q_proj.weight"});
    EXPECT_EQ(read.roles[0].layer, 7u) << list;
    EXPECT_EQ(read.roles[0].role, Role::kQuery) << list;
  }
}

TEST(Understand, SplitsEncoderAndDecoder) {
  const Architecture read = UnderstandNames(
      {"shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight",
       "decoder.block.0.layer.0.SelfAttention.q.weight",
       "decoder.block.1.layer.1.EncDecAttention.k.weight", "decoder.final_layer_norm.weight"});
  EXPECT_EQ(read.main_stack, "decoder");
  EXPECT_EQ(read.layers, 2u);
  EXPECT_EQ(DescribeStack(read, ""), "embedding");
  EXPECT_EQ(DescribeStack(read, "encoder"), " | 0: query");
  EXPECT_EQ(DescribeStack(read, "decoder"), "norm | 0: query | 1: key[cross]");
}

TEST(Understand, CallsALoneEncoderOrDecoderTheMainStack) {
  EXPECT_EQ(UnderstandNames({"model.decoder.layers.0.fc1.weight"}).main_stack, "");
  EXPECT_EQ(UnderstandNames({"transformer.encoder.layers.2.mlp.dense_h_to_4h.weight"}).layers, 3u);
}

TEST(Understand, KeepsTowersApart) {
  const Architecture read =
      UnderstandNames({"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
                       "model.layers.1.self_attn.q_proj.weight",
                       "vision_tower.encoder.layers.23.self_attn.q_proj.weight",
                       "mm_projector.0.weight", "audio_tower.layers.3.fc1.weight"});
  EXPECT_EQ(read.layers, 2u);
  EXPECT_EQ(DescribeStack(read, "vision"), " | 23: modality");
  EXPECT_EQ(DescribeStack(read, "projector"), "modality");
  EXPECT_EQ(DescribeStack(read, "audio"), " | 3: modality");
}

TEST(Understand, KeepsASideModelApart) {
  const Architecture read = UnderstandNames(
      {"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
       "model.reader.model.layers.0.self_attn.q_proj.weight",
       "model.reader.model.layers.1.self_attn.q_proj.weight", "model.reader.model.norm.weight"});
  EXPECT_EQ(read.layers, 1u);
  EXPECT_EQ(DescribeStack(read, "reader"), "norm | 0-1: query");
}

TEST(Understand, KeepsMultiTokenLayersApart) {
  const Architecture read = UnderstandNames(
      {"model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.weight",
       "model.layers.1.eh_proj.weight", "model.layers.1.shared_head.head.weight",
       "model.mtp_layers.0.mlp.up_proj.weight"});
  EXPECT_EQ(read.layers, 1u);
  EXPECT_EQ(DescribeStack(read, "mtp"), " | 0: other output_head query up");
}

TEST(Understand, CountsFromTheFirstLayerWhereAllModulesAreNumbered) {
  const Architecture read = UnderstandNames({"layers.0.wte.weight", "layers.1.mixer.Wqkv.weight",
                                             "layers.2.mixer.Wqkv.weight", "layers.3.ln.weight",
                                             "layers.3.linear.weight"});
  EXPECT_EQ(DescribeStack(read, ""), "embedding norm output_head | 0-1: query_key_value");
  EXPECT_EQ(read.layers, 2u);
}

TEST(Understand, TellsTheLayoutOfFusedAttentionByArchitecture) {
  const auto packing = [](const std::string& name, const Json& config) {
    return UnderstandNames({name}, config).roles[0].packing;
  };
  const std::string fused = "h.0.self_attention.query_key_value.weight";
  EXPECT_EQ(packing(fused, {{"model_type", "bloom"}}), Packing::kInterleavedHeads);
  EXPECT_EQ(packing(fused, {{"model_type", "falcon"}}), Packing::kInterleavedGroups);
  EXPECT_EQ(packing(fused, {{"model_type", "falcon"}, {"multi_query", false}}),
            Packing::kInterleavedHeads);
  EXPECT_EQ(packing("h.0.attn.c_attn.weight", {{"model_type", "gpt_bigcode"}}),
            Packing::kConcatenated);
  EXPECT_EQ(
      packing("h.0.attn.c_attn.weight", {{"model_type", "gpt_bigcode"}, {"multi_query", false}}),
      Packing::kInterleavedHeads);
  EXPECT_EQ(packing("layers.0.attention.wqkv.weight", {{"model_type", "internlm2"}}),
            Packing::kInterleavedGroups);
  EXPECT_EQ(packing("layers.0.self_attn.W_pack.weight", {{"model_type", "baichuan"}}),
            Packing::kConcatenated);
  EXPECT_EQ(packing("layers.0.self_attn.qkv_proj.weight", {{"model_type", "hunyuan"}}),
            Packing::kInterleavedGroups);
  EXPECT_EQ(packing("layers.0.mlp.gate_and_up_proj.weight", {{"model_type", "hunyuan"}}),
            Packing::kConcatenatedUpFirst);
  EXPECT_EQ(packing("h.0.attn.qkv_proj.weight", {{"model_type", "codegen"}}),
            Packing::kQuartersQueryValueKey);
}

TEST(Understand, FindsTheGateInAnUpMatrixOfDoubleHeight) {
  const std::vector<TensorInfo> tensors = {
      MakeTensor("embed_tokens.weight", {100, 8}),
      MakeTensor("layers.0.mlp.dense_h_to_4h.weight", {48, 8}),
      MakeTensor("layers.0.mlp.dense_h_to_4h.bias", {48}),
      MakeTensor("layers.0.mlp.dense_4h_to_h.weight", {8, 24}),
      MakeTensor("layers.1.mlp.dense_h_to_4h.weight", {24, 8}),
      MakeTensor("layers.1.mlp.dense_4h_to_h.weight", {8, 24})};
  const Architecture read = Understand(Json(), tensors);
  EXPECT_EQ(DescribeStack(read, ""), "embedding | 0: down gate_up | 1: down up");
  EXPECT_EQ(DescribeRole(read.roles[2]), "gate_up+bias");
  EXPECT_EQ(read.roles[1].packing, Packing::kConcatenated);
}

TEST(Understand, SaysWhichWayMatricesAreStored) {
  const std::vector<TensorInfo> tensors = {
      MakeTensor("wte.weight", {100, 8}), MakeTensor("h.0.attn.c_attn.weight", {8, 24}),
      MakeTensor("h.0.attn.c_proj.weight", {8, 8}), MakeTensor("h.0.mlp.c_fc.weight", {8, 32}),
      MakeTensor("h.0.mlp.c_proj.weight", {32, 8})};
  std::vector<bool> input_major;
  for (const TensorRole& role : Understand({{"model_type", "gpt2"}}, tensors).roles) {
    input_major.push_back(role.input_major);
  }
  EXPECT_THAT(input_major, ElementsAre(false, true, true, true, true));
}

TEST(Understand, ReadsUnknownMatricesByShape) {
  const std::vector<TensorInfo> tensors = {MakeTensor("front.table", {100, 8}),
                                           MakeTensor("back.table", {100, 8}),
                                           MakeTensor("cells.0.self_attn.my_query", {8, 8}),
                                           MakeTensor("cells.0.ffn.alpha", {32, 8}),
                                           MakeTensor("cells.0.ffn.beta_matrix", {8, 32}),
                                           MakeTensor("cells.0.ffn.odd", {3, 3})};
  const Json config = {{"vocab_size", 100}, {"hidden_size", 8}};
  const Architecture read = Understand(config, tensors);
  EXPECT_EQ(DescribeStack(read, ""), "embedding output_head | 0: down other query up");
  EXPECT_THAT(read.unassigned, ElementsAre(5u));
  EXPECT_EQ(read.name, "generic");
}

TEST(Understand, SaysWhetherTheHeadIsTied) {
  const std::vector<std::string> without = {"embed_tokens.weight", "layers.0.mlp.fc1.weight"};
  const std::vector<std::string> with = {"embed_tokens.weight", "layers.0.mlp.fc1.weight",
                                         "lm_head.weight"};
  EXPECT_TRUE(UnderstandNames(without).tied_head);
  EXPECT_FALSE(UnderstandNames(with).tied_head);
  EXPECT_TRUE(UnderstandNames(with, {{"tie_word_embeddings", true}}).tied_head);
  EXPECT_FALSE(UnderstandNames(without, {{"tie_word_embeddings", false}}).tied_head);
  EXPECT_TRUE(UnderstandNames(without, {{"model_type", "gemma"}}).tied_head);
  EXPECT_FALSE(UnderstandNames(without, {{"model_type", "llama"}}).tied_head);
  for (const std::string type : {"whisper", "electra", "mpnet", "xlnet", "ctrl", "longformer"}) {
    EXPECT_TRUE(UnderstandNames(with, {{"model_type", type}}).tied_head) << type;
  }
  EXPECT_TRUE(UnderstandNames(without, {{"model_type", "minicpm"}}).tied_head);
  EXPECT_FALSE(UnderstandNames(with, {{"model_type", "minicpm"}}).tied_head);
  EXPECT_FALSE(UnderstandNames({"layers.0.mlp.fc1.weight"}).tied_head) << "nothing to be tied to";
  const Json nested = {{"text_config", {{"tie_word_embeddings", true}}}};
  EXPECT_TRUE(UnderstandNames(with, nested).tied_head);
}

std::vector<uint32_t> LayersOf(const std::vector<std::string>& names) {
  std::vector<uint32_t> layers;
  for (const TensorRole& role : UnderstandNames(names).roles) layers.push_back(*role.layer);
  return layers;
}

TEST(Understand, CountsLayersThroughBlocks) {
  EXPECT_THAT(LayersOf({"funnel.encoder.blocks.0.0.ffn.linear_1.weight",
                        "funnel.encoder.blocks.0.1.ffn.linear_1.weight",
                        "funnel.encoder.blocks.1.0.ffn.linear_1.weight"}),
              ElementsAre(0u, 1u, 2u));
}

TEST(Understand, CountsTheLayersOfTwoCyclesTogether) {
  EXPECT_THAT(LayersOf({"model.H_module.layers.0.mlp.down_proj.weight",
                        "model.L_module.layers.0.mlp.down_proj.weight",
                        "model.L_module.layers.1.mlp.down_proj.weight"}),
              ElementsAre(2u, 0u, 1u));
}

TEST(Understand, NamesTheArchitecture) {
  const std::vector<std::string> gpt2 = {"wte.weight", "wpe.weight", "h.0.attn.c_attn.weight"};
  EXPECT_EQ(UnderstandNames(gpt2).name, "gpt2");
  EXPECT_EQ(UnderstandNames(gpt2).known_by, "names");
  EXPECT_EQ(UnderstandNames(gpt2, {{"model_type", "brand_new"}}).name, "brand_new");
  EXPECT_EQ(UnderstandNames(gpt2, {{"model_type", "brand_new"}}).known_by, "config");
  const Json wrapper = {{"model_type", "wrapper"},
                        {"text_config", {{"model_type", "gemma3_text"}}}};
  EXPECT_EQ(UnderstandNames(gpt2, wrapper).name, "gemma3");
}

TEST(Understand, TakesNothingFromConfigsOfTheWrongType) {
  const std::vector<std::string> names = {"embed_tokens.weight", "layers.0.mlp.fc1.weight"};
  const std::vector<Json> configs = {
      Json(),
      Json(7),
      Json("text"),
      Json::array({1, 2}),
      Json(true),
      Json::object(),
      {{"model_type", 3}, {"hidden_size", "big"}, {"tie_word_embeddings", "yes"}},
      {{"model_type", Json::array()}, {"hidden_size", -1}, {"text_config", 5}},
      {{"model_type", "\x1b[31mred"}, {"hidden_size", 1e300}, {"vocab_size", Json::object()}},
      {{"model_type", std::string(100'000, 'a')}, {"text_config", Json::array()}}};
  for (const Json& config : configs) {
    const Architecture read = UnderstandNames(names, config);
    EXPECT_EQ(read.name, "generic") << config.dump().substr(0, 60);
    EXPECT_EQ(read.layers, 1u);
    EXPECT_EQ(DescribeStack(read, ""), "embedding | 0: up");
  }
}

TEST(Understand, SurvivesNamesOfAnyContent) {
  std::string dots(100'000, '.');
  std::string words;
  for (int i = 0; i < 400; ++i) words += "a.";
  const std::vector<std::string> names = {"",
                                          ".",
                                          "..",
                                          "layers",
                                          "layers.",
                                          "layers.0",
                                          "0.0.0.0",
                                          "weight",
                                          ".weight",
                                          "layers.0.weight",
                                          "layers..weight",
                                          dots,
                                          words,
                                          std::string("layers.1.\0.weight", 17),
                                          "\xff\xfe",
                                          "layers.-1.mlp.fc1.weight",
                                          "experts.0.experts.1.experts",
                                          "h.h.h.1.1.1.h",
                                          "//",
                                          "/"};
  const Architecture read = UnderstandNames(names);
  EXPECT_EQ(read.roles.size(), names.size());
  EXPECT_EQ(read.roles[11].role, Role::kOther);
  EXPECT_EQ(Understand(Json(), {}).layers, 0u);
}

TEST(Understand, TakesNoHugeNumberForALayer) {
  const Architecture read = UnderstandNames(
      {"layers.4294967295.mlp.fc1.weight", "layers.18446744073709551616.mlp.fc1.weight",
       "layers.99999.mlp.fc1.weight", "layers.0.mlp.experts.4294967296.w1.weight"});
  EXPECT_EQ(read.roles[0].layer, std::nullopt);
  EXPECT_EQ(read.roles[1].layer, std::nullopt);
  EXPECT_EQ(read.roles[2].layer, 99'999u);
  EXPECT_EQ(read.roles[3].expert, std::nullopt);
  EXPECT_EQ(read.layers, 100'000u);
}

TEST(Understand, ReadsShapesThatMakeNoSense) {
  const uint64_t huge = ~0ull;
  const std::vector<TensorInfo> tensors = {
      MakeTensor("embed_tokens.weight", {huge, 0}),
      MakeTensor("layers.0.mlp.fc1.weight", {huge, huge}),
      MakeTensor("layers.0.mlp.fc2.weight", {0, 0}),
      MakeTensor("layers.0.self_attn.q_proj.weight", {1, 2, 3, 4, 5, 6}),
      MakeTensor("lm_head.weight", {})};
  const Architecture read = Understand(Json(), tensors);
  EXPECT_EQ(DescribeStack(read, ""), "embedding output_head | 0: down query up");
}

// A large mixture of experts; sanitizers slow this down about tenfold.
TEST(Understand, ReadsAHundredThousandTensorsInSeconds) {
  std::vector<TensorInfo> tensors;
  for (int layer = 0; layer < 60; ++layer) {
    for (int expert = 0; expert < 556; ++expert) {
      const std::string module =
          "model.layers." + std::to_string(layer) + ".mlp.experts." + std::to_string(expert) + '.';
      tensors.push_back(MakeTensor(module + "down_proj.weight", {64, 32}));
      tensors.push_back(MakeTensor(module + "gate_proj.weight", {32, 64}));
      tensors.push_back(MakeTensor(module + "up_proj.weight", {32, 64}));
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const Architecture read = Understand({{"hidden_size", 64}}, tensors);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(read.layers, 60u);
  EXPECT_TRUE(read.unassigned.empty());
  EXPECT_LT(seconds.count(), 20.0);
}

}  // namespace
}  // namespace tensorguard::internal
