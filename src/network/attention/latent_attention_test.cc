#include "network/attention/latent_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

using Tensors = std::map<std::string, TensorValues>;

const std::string kBlock = "model.layers.0.self_attn.";

// Two heads; a head's query and key: 1 column without rotation, 2 with; its value: 1. Hidden size
// 2, bottleneck of 1.
Tensors Layer() {
  return {{"model.embed_tokens.weight", {{2, 2}, {1, 1, 1, 1}}},
          {kBlock + "q_proj.weight", {{6, 2}, {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}}},
          {kBlock + "kv_a_proj_with_mqa.weight", {{3, 2}, {0, 1, 0, 7, 0, 8}}},
          {kBlock + "kv_a_layernorm.weight", {{1}, {2}}},
          {kBlock + "kv_b_proj.weight", {{4, 1}, {1, 10, 100, 1000}}},
          {kBlock + "o_proj.weight", {{2, 2}, {1, 0, 0, 1}}}};
}

const Json kConfig = {
    {"model_type", "deepseek_v3"}, {"num_attention_heads", 2}, {"qk_nope_head_dim", 1},
    {"qk_rope_head_dim", 2},       {"v_head_dim", 1},          {"kv_lora_rank", 1}};

TEST(LatentAttention, TellsSizesFromShapes) {
  const TestLayer layer(Layer(), kConfig);
  const auto parts = layer.parts();
  EXPECT_TRUE(IsLatentAttention(parts));
  const auto latent = ReadLatentAttention(parts, layer.config());
  ASSERT_TRUE(latent) << DescribeError(latent.error());
  EXPECT_EQ(latent->shape.heads, 2u);
  EXPECT_EQ(latent->shape.key_heads, 2u);
  EXPECT_EQ(latent->shape.head_size, 3u);
  EXPECT_EQ(latent->shape.value_size, 1u);
  EXPECT_EQ(latent->rotary_first, 1u);
  EXPECT_EQ(latent->rotary_size, 2u);
  EXPECT_TRUE(latent->interleaved);
  EXPECT_FLOAT_EQ(latent->scale, 1 / std::sqrt(3.0f));
}

TEST(LatentAttention, TakesTheRotationAndTheStretchFromTheConfig) {
  Json config = kConfig;
  config["rope_interleave"] = false;
  config["rope_scaling"] = {{"type", "yarn"}, {"factor", 40}, {"mscale_all_dim", 0.5}};
  const TestLayer layer(Layer(), config);
  const auto latent = ReadLatentAttention(layer.parts(), layer.config());
  ASSERT_TRUE(latent) << DescribeError(latent.error());
  EXPECT_FALSE(latent->interleaved);
  const double factor = 0.05 * std::log(40.0) + 1;
  EXPECT_NEAR(latent->scale, factor * factor / std::sqrt(3.0), 1e-6);
}

void ExpectRow(std::span<const float> row, const std::vector<float>& expected) {
  ASSERT_EQ(row.size(), expected.size());
  for (size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], expected[i], 1e-3) << i;
}

TEST(LatentAttention, SharesTheRotatedPartOfTheKey) {
  const TestLayer layer(Layer(), kConfig);
  const auto parts = layer.parts();
  const auto latent = ReadLatentAttention(parts, layer.config());
  ASSERT_TRUE(latent) << DescribeError(latent.error());
  const auto rows = ProjectLatent(parts, *latent, layer.config(), MatrixOf({{1, 5}}));
  ASSERT_TRUE(rows) << DescribeError(rows.error());
  ExpectRow(rows->queries.Row(0), {1, 2, 3, 4, 5, 6});
  // The bottleneck's one column is normalised to 1, its gain is 2.
  ExpectRow(rows->keys.Row(0), {2, 35, 40, 200, 35, 40});
  ExpectRow(rows->values.Row(0), {20, 2000});
}

TEST(LatentAttention, ReadsAQueryBottleneck) {
  auto tensors = Layer();
  tensors.erase(kBlock + "q_proj.weight");
  tensors[kBlock + "q_a_proj.weight"] = {{1, 2}, {3, 0}};
  tensors[kBlock + "q_a_layernorm.weight"] = {{1}, {0.5f}};
  tensors[kBlock + "q_b_proj.weight"] = {{6, 1}, {2, 4, 6, 8, 10, 12}};
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto latent = ReadLatentAttention(parts, layer.config());
  ASSERT_TRUE(latent) << DescribeError(latent.error());
  const auto rows = ProjectLatent(parts, *latent, layer.config(), MatrixOf({{1, 5}}));
  ASSERT_TRUE(rows) << DescribeError(rows.error());
  ExpectRow(rows->queries.Row(0), {1, 2, 3, 4, 5, 6});
}

TEST(LatentAttention, ReadsKeysAndValuesApart) {
  auto tensors = Layer();
  tensors.erase(kBlock + "kv_b_proj.weight");
  // A bottleneck of two columns: the keys' matrices are [head, bottleneck, key], the values'
  // [head, value, bottleneck].
  tensors[kBlock + "kv_a_proj_with_mqa.weight"] = {{4, 2}, {1, 0, 0, 1, 0, 7, 0, 8}};
  tensors[kBlock + "kv_a_layernorm.weight"] = {{2}, {5, 5}};
  tensors[kBlock + "embed_q.weight"] = {{2, 2, 1}, {1, 2, 10, 20}};
  tensors[kBlock + "unembed_out.weight"] = {{2, 1, 2}, {3, 4, 30, 40}};
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto latent = ReadLatentAttention(parts, layer.config());
  ASSERT_TRUE(latent) << DescribeError(latent.error());
  const auto rows = ProjectLatent(parts, *latent, layer.config(), MatrixOf({{1, 7}}));
  ASSERT_TRUE(rows) << DescribeError(rows.error());
  // The row's root mean square is 5: the bottleneck holds 1 and 7.
  ExpectRow(rows->keys.Row(0), {15, 49, 56, 150, 49, 56});
  ExpectRow(rows->values.Row(0), {31, 310});
}

void ExpectRefused(const Tensors& tensors, const Json& config, const std::string& problem,
                   const std::string& tensor = "") {
  const TestLayer layer(tensors, config);
  const auto latent = ReadLatentAttention(layer.parts(), layer.config());
  ASSERT_FALSE(latent);
  EXPECT_EQ(latent.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(latent.error().problem, problem);
  EXPECT_EQ(latent.error().tensor, tensor);
}

TEST(LatentAttention, NamesWhatMakesNoSense) {
  Json config = kConfig;
  config.erase("qk_rope_head_dim");
  ExpectRefused(Layer(), config, "config.json does not state \"qk_rope_head_dim\"");
  config = kConfig;
  config["qk_nope_head_dim"] = 0;
  ExpectRefused(Layer(), config, "\"qk_nope_head_dim\" of config.json is no usable number");
  const std::string queries =
      "has not the outputs that \"num_attention_heads\", \"qk_nope_head_dim\" and "
      "\"qk_rope_head_dim\" ask for";
  for (const uint64_t heads : {uint64_t{3}, uint64_t{1} << 39}) {
    config = kConfig;
    config["num_attention_heads"] = heads;
    ExpectRefused(Layer(), config, queries, kBlock + "q_proj.weight");
  }
  auto tensors = Layer();
  tensors[kBlock + "kv_a_proj_with_mqa.weight"] = {{4, 2}, {0, 1, 0, 7, 0, 8, 0, 9}};
  ExpectRefused(tensors, kConfig,
                "has not the outputs that the bottleneck and \"qk_rope_head_dim\" ask for",
                kBlock + "kv_a_proj_with_mqa.weight");
  tensors = Layer();
  tensors.erase(kBlock + "kv_b_proj.weight");
  tensors[kBlock + "embed_q.weight"] = {{2, 1, 1}, {1, 2}};
  tensors[kBlock + "unembed_out.weight"] = {{3, 1, 1}, {3, 4, 5}};
  ExpectRefused(tensors, kConfig, "has not the shape that the layer's other parts ask for",
                kBlock + "unembed_out.weight");
  tensors = Layer();
  tensors[kBlock + "o_proj.weight"] = {{2, 4}, {1, 0, 0, 1, 1, 0, 0, 1}};
  ExpectRefused(tensors, kConfig, "has not the outputs that the heads' keys and values ask for",
                kBlock + "kv_b_proj.weight");
}

}  // namespace
}  // namespace tensorguard::internal
