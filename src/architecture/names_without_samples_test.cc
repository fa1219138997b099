// Names of architectures of which the shared material has no model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/architecture.h"
#include "tests/support/named_tensors.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

TEST(Understand, KnowsNamesOfArchitecturesWithoutSamples) {
  EXPECT_THAT(RolesOf({"transformer.layer.0.rel_attn.q", "transformer.layer.0.rel_attn.r_w_bias",
                       "transformer.attentions.3.out_lin.weight", "transformer.ffns.3.lin2.weight",
                       "transformer.layer_norm1.3.weight", "pred_layer.proj.bias",
                       "generator_predictions.dense.weight", "electra.embeddings_project.weight"}),
              ElementsAre("query", "position_embedding", "output_projection", "down", "norm",
                          "output_head+bias", "task_head", "embedding_projection"));
  EXPECT_THAT(RolesOf({"funnel.encoder.blocks.0.0.attention.v_head.weight", "v_head.summary.weight",
                       "proj_out.weight", "model.encoder.conv1.weight",
                       "layers.0.self_attention.experts.input_linear.weight",
                       "layers.1.self_attn.linear_qkv.layer_norm_weight",
                       "encoder.layers.0.mlp.experts.expert_7.fc1.weight", "h.0.attn.attn.weight"}),
              ElementsAre("value", "task_head", "output_head", "modality", "query[stacked]", "norm",
                          "up[expert]", "query_key_value"));
}

TEST(Understand, KnowsGroksNames) {
  EXPECT_THAT(
      RolesOf({"transformer.decoder_layer.0.multi_head_attention.query.weight",
               "transformer.decoder_layer.0.multi_head_attention.linear.weight",
               "transformer.decoder_layer.0.rms_norm.scale", "model.layers.1.post_moe_norm.scale"}),
      ElementsAre("query", "output_projection", "norm", "norm"));
}

TEST(Understand, TakesNoPartOfAnAdapterForTheLayersOwnMatrix) {
  const std::string shared = "model.layers.1.shared_transformer.";
  EXPECT_THAT(RolesOf({shared + "feed_forward.gate_up_proj.weight",
                       shared + "feed_forward.gate_up_proj_adapter_list.0.0.weight",
                       shared + "feed_forward.gate_up_proj_adapter_list.0.1.weight",
                       shared + "self_attn.linear_q_adapter_list.0.0.weight"}),
              ElementsAre("gate_up", "adapter", "adapter", "adapter"));
}

TEST(Understand, KeepsPositionQueriesApartFromQueries) {
  EXPECT_THAT(RolesOf({"deberta.encoder.layer.0.attention.self.in_proj.weight",
                       "deberta.encoder.layer.0.attention.self.pos_proj.weight",
                       "deberta.encoder.layer.0.attention.self.pos_q_proj.weight"}),
              ElementsAre("query_key_value", "position_embedding", "position_embedding"));
}

}  // namespace
}  // namespace tensorguard::internal
