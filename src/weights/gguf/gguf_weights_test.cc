#include "weights/gguf/gguf_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Pairs(const std::string& architecture, uint32_t experts = 0) {
  return {GgufTextPair("general.architecture", architecture),
          GgufNumberPair(architecture + ".attention.head_count", 2),
          GgufNumberPair(architecture + ".attention.head_count_kv", 1),
          GgufNumberPair(architecture + ".expert_count", experts)};
}

Result<std::shared_ptr<const WeightSource>> Undone(const std::vector<std::string>& pairs,
                                                   const std::vector<BuiltGgufTensor>& tensors) {
  static const ScratchFolder folder;  // outlives the weights
  const auto path = folder.Write("m.gguf", BuildGguf(pairs, tensors));
  const auto files = FindWeightFiles(path);
  EXPECT_TRUE(files);
  const auto stored = OpenStoredModel(*files);
  if (!stored) return stored.error();
  EXPECT_TRUE(stored->gguf);
  const auto architecture = GgufArchitectureOf(*stored->gguf, *stored->weights);
  if (!architecture) return Error{.problem = "the architecture is not known"};
  auto undone = UndoConversion(stored->weights, *architecture,
                               ChangedNumbersOf(*architecture, *stored->gguf));
  if (!undone) return undone.error();
  return undone->weights;
}

// The note on what was left as it is.
std::string Note(const std::vector<BuiltGgufTensor>& tensors) {
  static const ScratchFolder folder;
  const auto path = folder.Write("m.gguf", BuildGguf(Pairs("llama"), tensors));
  const auto stored = OpenStoredModel(*FindWeightFiles(path));
  EXPECT_TRUE(stored);
  const auto architecture = GgufArchitectureOf(*stored->gguf, *stored->weights);
  const auto undone = UndoConversion(stored->weights, *architecture,
                                     ChangedNumbersOf(*architecture, *stored->gguf));
  return undone ? undone->note : DescribeError(undone.error());
}

std::string Problem(const std::vector<std::string>& pairs,
                    const std::vector<BuiltGgufTensor>& tensors) {
  const auto undone = Undone(pairs, tensors);
  return undone ? "no error" : DescribeError(undone.error());
}

std::map<std::string, std::vector<float>> Values(const WeightSource& weights) {
  std::map<std::string, std::vector<float>> values;
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    auto& numbers = values[weights.tensors()[i].name];
    numbers.resize(weights.tensors()[i].element_count);
    EXPECT_TRUE(weights.ReadFloat32(i, 0, numbers));
  }
  return values;
}

TEST(GgufWeights, RowsOfQueriesAndKeysAreInTheirOldOrder) {
  // Two heads of four rows, numbered as they were. The pair of row j is row j + 2.
  const auto undone =
      Undone(Pairs("llama"),
             {GgufF32Tensor("blk.7.attn_q.weight", {1, 8}, {0, 2, 1, 3, 4, 6, 5, 7}),
              GgufF32Tensor("blk.7.attn_k.weight", {2, 4}, {0, 0.5, 2, 2.5, 1, 1.5, 3, 3.5}),
              GgufF32Tensor("blk.7.attn_q.bias", {4}, {0, 1, 2, 3}),
              GgufF32Tensor("blk.7.attn_v.weight", {1, 4}, {0, 2, 1, 3})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  const auto values = Values(**undone);
  const std::string layer = "model.layers.7.self_attn.";
  EXPECT_THAT(values.at(layer + "q_proj.weight"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(values.at(layer + "k_proj.weight"), ElementsAre(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5));
  EXPECT_THAT(values.at(layer + "q_proj.bias"), ElementsAre(0, 1, 2, 3)) << "heads of two rows";
  EXPECT_THAT(values.at(layer + "v_proj.weight"), ElementsAre(0, 2, 1, 3));
  std::vector<float> part(3);
  ASSERT_TRUE((*undone)->ReadFloat32(0, 3, part));
  EXPECT_THAT(part, ElementsAre(1.5, 2, 2.5)) << "from the middle of one row to another's";
}

TEST(GgufWeights, OtherArchitecturesKeepTheirRows) {
  const auto undone =
      Undone(Pairs("qwen2"), {GgufF32Tensor("blk.0.attn_q.weight", {1, 4}, {0, 2, 1, 3}),
                              GgufF32Tensor("token_embd.weight", {1, 2}, {5, 6})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  const auto values = Values(**undone);
  EXPECT_THAT(values.at("model.layers.0.self_attn.q_proj.weight"), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(values.at("model.embed_tokens.weight"), ElementsAre(5, 6));
}

TEST(GgufWeights, GemmaGainsAreADifferenceFromOne) {
  const auto undone = Undone(Pairs("gemma"), {GgufF32Tensor("output_norm.weight", {2}, {1, 1.5})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  EXPECT_THAT(Values(**undone).at("model.norm.weight"), ElementsAre(0, 0.5));
}

TEST(GgufWeights, BiasesOfNormsWereNotChanged) {
  const auto undone = Undone(Pairs("nemotron"), {GgufF32Tensor("output_norm.weight", {1}, {1.5}),
                                                 GgufF32Tensor("output_norm.bias", {1}, {1.5})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  EXPECT_THAT(Values(**undone).at("model.norm.weight"), ElementsAre(0.5));
  EXPECT_THAT(Values(**undone).at("model.norm.bias"), ElementsAre(1.5));
}

TEST(GgufWeights, ExpertsAreTensorsOfTheirOwn) {
  const auto undone =
      Undone(Pairs("llama", 2), {GgufF32Tensor("blk.0.ffn_up_exps.weight", {2, 1, 2}, {1, 2, 3, 4}),
                                 GgufF32Tensor("blk.0.ffn_gate_inp.weight", {1, 2}, {8, 9})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  const auto values = Values(**undone);
  const std::string layer = "model.layers.0.block_sparse_moe.";
  EXPECT_THAT(values.at(layer + "experts.0.w3.weight"), ElementsAre(1, 2));
  EXPECT_THAT(values.at(layer + "experts.1.w3.weight"), ElementsAre(3, 4));
  EXPECT_THAT((*undone)->tensors()[0].shape, ElementsAre(1, 2));
  EXPECT_THAT(values.at(layer + "gate.weight"), ElementsAre(8, 9));
}

TEST(GgufWeights, ExpertsOfTheFirstFilesAreApart) {
  const auto undone =
      Undone(Pairs("llama", 2), {GgufF32Tensor("blk.3.ffn_gate.0.weight", {2, 1}, {1, 2}),
                                 GgufF32Tensor("blk.3.ffn_gate.1.weight", {2, 1}, {3, 4})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  const auto values = Values(**undone);
  const std::string layer = "model.layers.3.block_sparse_moe.experts.";
  EXPECT_THAT(values.at(layer + "0.w1.weight"), ElementsAre(1, 2));
  EXPECT_THAT(values.at(layer + "1.w1.weight"), ElementsAre(3, 4));
}

TEST(GgufWeights, FusedRowsAreByHeadsAgain) {
  // Two heads of two rows: q of both, k of both, v of both.
  const std::vector<float> stored = {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11};
  for (const auto& [architecture, name] : std::map<std::string, std::string>{
           {"gptneox", "gpt_neox.layers.0.attention.query_key_value.bias"},
           {"bloom", "transformer.h.0.self_attention.query_key_value.bias"}}) {
    const auto undone =
        Undone(Pairs(architecture), {GgufF32Tensor("blk.0.attn_qkv.bias", {12}, stored)});
    ASSERT_TRUE(undone) << DescribeError(undone.error());
    EXPECT_THAT(Values(**undone).at(name), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  }
}

TEST(GgufWeights, FusedRowsAreByGroupsAgain) {
  // Four heads in two groups, of one row: q 0 1 of the first, q 4 5 of the second, then k, then v.
  std::vector<std::string> pairs = {GgufTextPair("general.architecture", "falcon"),
                                    GgufNumberPair("falcon.attention.head_count", 4),
                                    GgufNumberPair("falcon.attention.head_count_kv", 2)};
  const std::string name = "transformer.h.0.self_attention.query_key_value.weight";
  const auto undone =
      Undone(pairs, {GgufF32Tensor("blk.0.attn_qkv.weight", {1, 8}, {0, 1, 4, 5, 2, 6, 3, 7})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  EXPECT_THAT(Values(**undone).at(name), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(
      Problem(pairs, {GgufF32Tensor("blk.0.attn_qkv.weight", {1, 7}, std::vector<float>(7))}),
      HasSubstr("number of heads does not fit the tensor's rows"));
}

TEST(GgufWeights, ATensorTellsWhichKindOfAnArchitectureItIs) {
  const auto one = Undone(Pairs("falcon"), {GgufF32Tensor("blk.0.attn_norm.weight", {1}, {1})});
  ASSERT_TRUE(one);
  EXPECT_EQ((*one)->tensors()[0].name, "transformer.h.0.input_layernorm.weight");
  const auto two = Undone(Pairs("falcon"), {GgufF32Tensor("blk.0.attn_norm.weight", {1}, {1}),
                                            GgufF32Tensor("blk.0.attn_norm_2.weight", {1}, {1})});
  ASSERT_TRUE(two);
  EXPECT_EQ((*two)->tensors()[0].name, "transformer.h.0.ln_attn.weight");
  EXPECT_EQ((*two)->tensors()[1].name, "transformer.h.0.ln_mlp.weight");
}

TEST(GgufWeights, AGateThatLostADimensionHasItAgain) {
  const auto undone = Undone(Pairs("qwen2moe", 2),
                             {GgufF32Tensor("blk.0.ffn_gate_inp_shexp.weight", {3}, {1, 2, 3})});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  EXPECT_EQ((*undone)->tensors()[0].name, "model.layers.0.mlp.shared_expert_gate.weight");
  EXPECT_THAT((*undone)->tensors()[0].shape, ElementsAre(1, 3));
}

TEST(GgufWeights, OnePartOfAModelTwiceIsRefused) {
  EXPECT_THAT(
      Problem(Pairs("llama", 2), {GgufF32Tensor("blk.0.ffn_up_exps.weight", {1, 1, 2}, {1, 2}),
                                  GgufF32Tensor("blk.0.ffn_up.1.weight", {1, 1}, {3})}),
      HasSubstr("two tensors are the same part of the model"));
}

TEST(GgufWeights, BFloat16RowsInTheirOldOrder) {
  const auto undone =
      Undone(Pairs("llama"), {{"blk.0.attn_k.weight", 30, {1, 4}, std::string("00112233", 8)}});
  ASSERT_TRUE(undone) << DescribeError(undone.error());
  ASSERT_TRUE((*undone)->IsBFloat16(0));
  std::vector<BFloat16> stored(4);
  ASSERT_TRUE((*undone)->ReadBFloat16(0, 0, stored));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(stored.data()), 8), "00221133");
}

TEST(GgufWeights, WhatDoesNotFitIsRefused) {
  const auto query = [](std::vector<uint64_t> dimensions, size_t count) {
    return GgufF32Tensor("blk.0.attn_q.weight", std::move(dimensions), std::vector<float>(count));
  };
  EXPECT_THAT(Problem(Pairs("llama"), {query({1, 6}, 6)}),
              HasSubstr("tensor \"blk.0.attn_q.weight\": number of heads does not fit the tensor's "
                        "rows\n  found:    6 rows for 2 heads\n"));
  EXPECT_THAT(Problem({GgufTextPair("general.architecture", "llama")}, {query({1, 4}, 4)}),
              HasSubstr("no number of heads in the metadata"));
  EXPECT_THAT(
      Problem(Pairs("llama", 3), {GgufF32Tensor("blk.0.ffn_up_exps.weight", {1, 1, 2}, {1, 2})}),
      HasSubstr("number of experts does not fit the tensor"));
}

TEST(GgufWeights, WhatIsNotKnownStaysAsItIs) {
  const auto query = GgufF32Tensor("blk.0.attn_q.weight", {1, 4}, {1, 2, 3, 4});
  for (const auto& pairs : {Pairs("mamba"), Pairs("qwen2", 4), std::vector<std::string>()}) {
    EXPECT_THAT(Problem(pairs, {query}), HasSubstr("the architecture is not known"));
  }
  for (const char* name : {"blk.0.attn_sinks.weight", "blk.x.attn_q.weight", "blk..attn_q.weight",
                           "attn_q.weight", "blk.0.attn_q.scale", "output_norm"}) {
    const std::vector<BuiltGgufTensor> tensors = {query, GgufF32Tensor(name, {1}, {7})};
    const auto undone = Undone(Pairs("llama"), tensors);
    ASSERT_TRUE(undone) << DescribeError(undone.error());
    const auto values = Values(**undone);
    EXPECT_THAT(values.at(name), ElementsAre(7));
    EXPECT_TRUE(values.contains("model.layers.0.self_attn.q_proj.weight"));
    EXPECT_EQ(Note(tensors), "tensors that are not known of the architecture llama are read as "
                             "stored: " +
                                 std::string(name));
  }
  EXPECT_EQ(Note({query}), "");
}

}  // namespace
}  // namespace tensorguard::internal
