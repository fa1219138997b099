// Fused tensors of every layout taken apart: by hand, and over all real architectures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "network/weight.h"
#include "tests/support/random_models.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "query 0 1 | key 4 | ...": the roles and the first number of each row. The tensors are Counted
// with two columns, so row r begins with 2 r.
std::string Described(const Model& model) {
  auto weights = SplitWeights(model);
  if (!weights) return DescribeError(weights.error());
  std::string text;
  for (const Weight& weight : *weights) {
    auto values = ReadWeight(*model.weights, weight);
    if (!values) return DescribeError(values.error());
    if (!text.empty()) text += " | ";
    text += RoleName(weight.role.role);
    if (weight.role.expert) text += "[" + std::to_string(*weight.role.expert) + "]";
    for (uint64_t row = 0; row < weight.rows; ++row) {
      const auto stride = static_cast<float>(weight.is_vector ? 1 : weight.columns);
      text += " " + std::to_string(static_cast<int>(values->Row(row)[0] / stride));
    }
  }
  return text;
}

TEST(SplitWeights, ConcatenatedByHeadsOfTheConfig) {
  const Json config = {{"model_type", "phi3"},
                       {"num_attention_heads", 4},
                       {"num_key_value_heads", 2},
                       {"head_dim", 1},
                       {"hidden_size", 2}};
  EXPECT_EQ(Described(ModelOf({{"model.layers.0.self_attn.qkv_proj.weight", Counted({8, 2})},
                               {"model.layers.0.self_attn.qkv_proj.bias", Counted({8})}},
                              config)),
            "query 0 1 2 3 | key 4 5 | value 6 7 | query 0 1 2 3 | key 4 5 | value 6 7");
}

TEST(SplitWeights, ConcatenatedByTheOutputProjectionWithoutConfig) {
  const Model model = ModelOf({{"model.layers.0.self_attn.qkv_proj.weight", Counted({8, 2})},
                               {"model.layers.0.self_attn.o_proj.weight", Counted({2, 6})}});
  EXPECT_EQ(Described(model), "output_projection 0 1 | query 0 1 2 3 4 5 | key 6 | value 7");
}

TEST(SplitWeights, MultiQueryOfGptBigcode) {
  const Json config = {
      {"model_type", "gpt_bigcode"}, {"multi_query", true}, {"n_embd", 2}, {"n_head", 2}};
  EXPECT_EQ(Described(ModelOf({{"transformer.h.0.attn.c_attn.weight", Counted({4, 2})}}, config)),
            "query 0 1 | key 2 | value 3");
}

TEST(SplitWeights, InterleavedHeads) {
  const Json config = {{"model_type", "gpt_neox"}, {"num_attention_heads", 2}, {"hidden_size", 4}};
  const std::string name = "gpt_neox.layers.0.attention.query_key_value.weight";
  EXPECT_EQ(Described(ModelOf({{name, Counted({12, 4})}}, config)),
            "query 0 1 6 7 | key 2 3 8 9 | value 4 5 10 11");
}

TEST(SplitWeights, InterleavedGroups) {
  const Json config = {{"model_type", "falcon"},
                       {"new_decoder_architecture", true},
                       {"num_attention_heads", 4},
                       {"num_kv_heads", 2},
                       {"hidden_size", 4}};
  const std::string name = "transformer.h.0.self_attention.query_key_value.weight";
  EXPECT_EQ(Described(ModelOf({{name, Counted({8, 4})}}, config)),
            "query 0 1 4 5 | key 2 6 | value 3 7");
}

TEST(SplitWeights, MultiQueryOfFalconIsOneGroup) {
  const Json config = {{"model_type", "falcon"},
                       {"multi_query", true},
                       {"num_attention_heads", 4},
                       {"num_kv_heads", 4},
                       {"hidden_size", 4}};
  const std::string name = "transformer.h.0.self_attention.query_key_value.weight";
  EXPECT_EQ(Described(ModelOf({{name, Counted({6, 4})}}, config)),
            "query 0 1 2 3 | key 4 | value 5");
}

TEST(SplitWeights, InterleavedWithoutHeadCountStaysWhole) {
  const std::string name = "gpt_neox.layers.0.attention.query_key_value.weight";
  EXPECT_EQ(Described(ModelOf({{name, Counted({3, 2})}})), "query_key_value 0 1 2");
}

TEST(SplitWeights, QuartersOfCodeGen) {
  const Json config = {{"model_type", "codegen"}, {"n_head", 4}, {"n_embd", 4}};
  EXPECT_EQ(
      Described(ModelOf({{"transformer.h.0.attn.qkv_proj.weight", Counted({12, 4})}}, config)),
      "query 0 3 6 9 | key 2 5 8 11 | value 1 4 7 10");
}

TEST(SplitWeights, InterleavedGateOfQwen3NextAndItsBias) {
  const Json config = {{"model_type", "qwen3_next"},
                       {"num_attention_heads", 2},
                       {"head_dim", 2},
                       {"hidden_size", 2}};
  EXPECT_EQ(Described(ModelOf({{"model.layers.0.self_attn.q_proj.weight", Counted({8, 2})},
                               {"model.layers.0.self_attn.q_proj.bias", Counted({8})},
                               {"model.layers.1.linear_attn.in_proj_qkvz.weight", Counted({2, 2})}},
                              config)),
            "query 0 1 4 5 | attention_gate 2 3 6 7 | query 0 1 4 5 | attention_gate 2 3 6 7 | "
            "mixer 0 1");
}

TEST(SplitWeights, GateFirstOfHrm) {
  EXPECT_EQ(Described(ModelOf({{"model.H_module.layers.0.attn.gqkv_proj.weight", Counted({8, 2})}},
                              {{"model_type", "hrm_text"}})),
            "attention_gate 0 1 | query 2 3 | key 4 5 | value 6 7");
}

TEST(SplitWeights, ConvolutionsInGroupsOfSqueezeBert) {
  const std::map<std::string, TensorValues> tensors = {
      {"transformer.encoder.layers.0.attention.query.weight", Counted({4, 2, 1})}};
  Json config = {{"model_type", "squeezebert"}, {"q_groups", 2}};
  const auto weights = SplitWeights(ModelOf(tensors, config));
  ASSERT_TRUE(weights);
  EXPECT_EQ(weights->at(0).groups, 2u);
  EXPECT_EQ(weights->at(0).columns, 2u);
  config["q_groups"] = 3;
  const auto refused = SplitWeights(ModelOf(tensors, config));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().expected, HasSubstr("a multiple of 3"));
}

TEST(SplitWeights, FeedForwardsInGroupsOfConvBert) {
  const Model model =
      ModelOf({{"convbert.encoder.layer.0.intermediate.dense.weight", Counted({2, 2, 3})}},
              {{"model_type", "convbert"}, {"num_groups", 2}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->size(), 1u);
  EXPECT_EQ(weights->at(0).groups, 2u);
  const auto values = ReadWeight(*model.weights, weights->at(0));
  ASSERT_TRUE(values) << DescribeError(values.error());
  EXPECT_THAT(values->values(), ElementsAre(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11));
  const auto middle = ReadWeightRows(*model.weights, weights->at(0), 2, 2);
  ASSERT_TRUE(middle);
  EXPECT_THAT(middle->values(), ElementsAre(2, 5, 6, 9));
}

TEST(SplitWeights, InputMajorHoldsItsOutputsInColumns) {
  const Json config = {{"model_type", "gpt2"}, {"n_head", 1}, {"n_embd", 2}};
  const Model model = ModelOf({{"transformer.h.0.attn.c_attn.weight", Counted({2, 6})}}, config);
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->size(), 3u);
  const auto key = ReadWeight(*model.weights, weights->at(1));
  ASSERT_TRUE(key);
  EXPECT_THAT(key->values(), ElementsAre(2, 8, 3, 9));
}

TEST(SplitWeights, GateAndUpInHalvesUpFirstAndRowByRow) {
  const std::string prefix = "model.layers.0.mlp.";
  EXPECT_EQ(Described(ModelOf({{prefix + "gate_up_proj.weight", Counted({4, 2})}})),
            "gate 0 1 | up 2 3");
  EXPECT_EQ(Described(ModelOf({{prefix + "up_gate_proj.weight", Counted({4, 2})}})),
            "gate 2 3 | up 0 1");
  const Json config = {{"model_type", "gpt_oss"}, {"hidden_size", 2}};
  EXPECT_EQ(Described(ModelOf({{prefix + "experts.gate_up_proj_bias", Counted({2, 4})}}, config)),
            "gate[0] 0 2 | up[0] 1 3 | gate[1] 4 6 | up[1] 5 7");
}

TEST(SplitWeights, StackedExpertsOfBothOrientations) {
  const std::string name = "model.layers.0.mlp.experts.gate_up_proj";
  const Model output_major = ModelOf({{name, Counted({2, 4, 3})}}, {{"hidden_size", 3}});
  EXPECT_EQ(Described(output_major), "gate[0] 0 1 | up[0] 2 3 | gate[1] 4 5 | up[1] 6 7");

  const Json config = {{"model_type", "gpt_oss"}, {"hidden_size", 3}};
  const Model input_major = ModelOf({{name, Counted({2, 3, 4})}}, config);
  const auto weights = SplitWeights(input_major);
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->size(), 4u);
  const auto up = ReadWeight(*input_major.weights, weights->at(3));
  ASSERT_TRUE(up);
  EXPECT_EQ(weights->at(3).role.expert, 1u);
  EXPECT_THAT(up->values(), ElementsAre(13, 17, 21, 15, 19, 23));
}

TEST(SplitWeights, VectorsScalarsAndConvolutions) {
  const Json config = {{"model_type", "rwkv"}};
  const Model model = ModelOf({{"rwkv.blocks.0.attention.time_mix_key", Counted({1, 1, 4})},
                               {"backbone.layers.0.mixer.conv1d.weight", Counted({6, 1, 4})},
                               {"model.layers.0.scalar", Counted({})}},
                              config);
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->size(), 3u);
  EXPECT_EQ(weights->at(0).rows, 6u);
  EXPECT_EQ(weights->at(0).columns, 4u);
  EXPECT_FALSE(weights->at(0).is_vector);
  EXPECT_EQ(weights->at(1).rows, 1u);
  EXPECT_TRUE(weights->at(1).is_vector);
  EXPECT_EQ(weights->at(2).rows, 4u);
  EXPECT_EQ(weights->at(2).columns, 1u);
  EXPECT_TRUE(weights->at(2).is_vector);
}

TEST(SplitWeights, RefusesShapesThatContradictTheConfig) {
  const Json config = {{"model_type", "gpt_neox"}, {"num_attention_heads", 2}, {"hidden_size", 4}};
  const std::string name = "gpt_neox.layers.0.attention.query_key_value.weight";
  const auto weights = SplitWeights(ModelOf({{name, Counted({10, 4})}}, config));
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(weights.error().tensor, name);
  EXPECT_EQ(weights.error().found, "10 rows");
  EXPECT_EQ(weights.error().expected, "(2 heads + 2 * key-value heads) * 2");

  const auto odd =
      SplitWeights(ModelOf({{"model.layers.0.mlp.gate_up_proj.weight", Counted({3, 2})}}));
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().expected, "an even number of rows");
}

TEST(SplitWeights, RefusesAStackOfTooManyExperts) {
  const std::string name = "model.layers.0.mlp.experts.down_proj";
  MemoryTensor tensor = {name, {1'000'000'000, 2, 2}, [](uint64_t) { return 0.0f; }};
  Model model;
  model.weights = std::make_shared<MemoryWeights>(std::vector<MemoryTensor>{tensor});
  model.architecture = Understand({}, model.weights->tensors());
  ASSERT_TRUE(model.architecture.roles[0].stacked_experts);
  const auto weights = SplitWeights(model);
  ASSERT_FALSE(weights);
  EXPECT_THAT(weights.error().problem, HasSubstr("more experts"));
}

TEST(SplitWeights, RefusesRowsThatNoMemoryHolds) {
  const std::string name = "model.layers.0.mlp.down_proj.weight";
  MemoryTensor tensor = {name, {2, uint64_t{1} << 40}, [](uint64_t) { return 0.0f; }};
  Model model;
  model.weights = std::make_shared<MemoryWeights>(std::vector<MemoryTensor>{tensor});
  model.architecture = Understand({}, model.weights->tensors());
  const auto weights = SplitWeights(model);
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(weights.error().tensor, name);
}

// How often each element of a tensor is part of a weight.
void CountElements(const Weight& weight, std::vector<int>& counts) {
  for (const RowRun& run : weight.runs) {
    for (uint64_t i = 0; i < run.count; ++i) {
      const uint64_t output = run.first + i * run.step;
      for (uint64_t input = 0; input < weight.columns; ++input) {
        const uint64_t element = weight.input_major ? input * weight.stored_rows + output
                                                    : output * weight.columns + input;
        ++counts.at(weight.first_element + element);
      }
    }
  }
}

TEST(SplitWeights, LosesAndDoublesNoElementOfAnyRealArchitecture) {
  const auto folder = SharedData("real/architectures");
  SKIP_WITHOUT(folder);
  size_t models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    const auto model = OpenModel(entry.path());
    ASSERT_TRUE(model) << DescribeError(model.error());
    const auto weights = SplitWeights(*model);
    ASSERT_TRUE(weights) << DescribeError(weights.error());
    const auto& tensors = model->weights->tensors();
    std::vector<std::vector<int>> counts(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) counts[i].resize(tensors[i].element_count);
    std::vector<std::string> fused;
    for (const Weight& weight : *weights) {
      CountElements(weight, counts.at(weight.tensor_index));
      const Role role = weight.role.role;
      if (role == Role::kQueryKeyValue || role == Role::kKeyValue || role == Role::kGateUp) {
        fused.push_back(tensors[weight.tensor_index].name);
      }
    }
    EXPECT_THAT(fused, IsEmpty());
    for (size_t i = 0; i < tensors.size(); ++i) {
      const bool parameter = model->architecture.roles[i].role != Role::kBuffer;
      EXPECT_THAT(counts[i], ::testing::Each(parameter ? 1 : 0)) << tensors[i].name;
    }
    ++models;
  }
  EXPECT_GE(models, 50u);
}

}  // namespace
}  // namespace tensorguard::internal
