// Networks of small models in memory: what the functions of their parts give, and what is refused.
#include "network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "network/forward.h"
#include "network/missing_embedding.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using Tensors = std::map<std::string, TensorValues>;

// Numbers without a pattern, the same in every run.
TensorValues Noise(std::vector<uint64_t> shape, uint32_t seed) {
  TensorValues tensor = {.shape = std::move(shape), .values = {}};
  uint32_t state = seed * 2654435761u + 1;
  for (uint64_t i = 0; i < ElementCount(tensor.shape).value(); ++i) {
    state = state * 1664525u + 1013904223u;
    tensor.values.push_back(static_cast<float>(state >> 8) / (1 << 23) - 1.0f);
  }
  return tensor;
}

constexpr uint64_t kHidden = 8;
constexpr uint64_t kVocabulary = 10;

// Two query heads of 4 that share one key head.
Tensors LlamaTensors() {
  Tensors tensors = {{"model.embed_tokens.weight", Noise({kVocabulary, kHidden}, 1)},
                     {"model.norm.weight", Noise({kHidden}, 2)},
                     {"lm_head.weight", Noise({kVocabulary, kHidden}, 3)}};
  const std::string layer = "model.layers.0.";
  tensors[layer + "input_layernorm.weight"] = Noise({kHidden}, 4);
  tensors[layer + "post_attention_layernorm.weight"] = Noise({kHidden}, 5);
  tensors[layer + "self_attn.q_proj.weight"] = Noise({8, kHidden}, 6);
  tensors[layer + "self_attn.k_proj.weight"] = Noise({4, kHidden}, 7);
  tensors[layer + "self_attn.v_proj.weight"] = Noise({4, kHidden}, 8);
  tensors[layer + "self_attn.o_proj.weight"] = Noise({kHidden, 8}, 9);
  tensors[layer + "mlp.gate_proj.weight"] = Noise({12, kHidden}, 10);
  tensors[layer + "mlp.up_proj.weight"] = Noise({12, kHidden}, 11);
  tensors[layer + "mlp.down_proj.weight"] = Noise({kHidden, 12}, 12);
  return tensors;
}

Json LlamaConfig() {
  return Json::parse(R"({"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2,
      "num_key_value_heads": 1, "rms_norm_eps": 1e-6, "hidden_act": "silu", "rope_theta": 10000})");
}

std::shared_ptr<const Network> BuildOrFail(const Model& model) {
  auto network = Network::Build(model);
  EXPECT_TRUE(network) << DescribeError(network.error());
  return network ? *network : nullptr;
}

Error BuildError(const Model& model) {
  const auto network = Network::Build(model);
  EXPECT_FALSE(network);
  return network ? Error() : network.error();
}

TEST(Network, DescribesALlama) {
  const auto network = BuildOrFail(ModelOf(LlamaTensors(), LlamaConfig()));
  ASSERT_NE(network, nullptr);
  const NetworkDescription& description = network->description();
  EXPECT_EQ(description.architecture, "llama");
  EXPECT_TRUE(description.assumed.empty());
  EXPECT_EQ(description.vocabulary_size, kVocabulary);
  EXPECT_EQ(description.hidden_size, kHidden);
  EXPECT_TRUE(description.has_head);
  EXPECT_FALSE(description.tied_head);
  ASSERT_EQ(description.layers.size(), 1u);
  EXPECT_EQ(description.layers[0].mixer, MixerKind::kAttention);
  EXPECT_TRUE(description.layers[0].has_feed_forward);
}

TEST(Network, RepeatsSharedKeys) {
  const auto network = BuildOrFail(ModelOf(LlamaTensors(), LlamaConfig()));
  const auto rows = network->InputRows(std::vector<uint32_t>{3, 7});
  ASSERT_TRUE(rows);
  const auto both = network->QueriesAndKeysOf(0, *rows);
  ASSERT_TRUE(both && both->has_value());
  ASSERT_EQ((*both)->keys.columns(), 8u);
  ASSERT_EQ((*both)->queries.columns(), 8u);
  for (size_t row = 0; row < 2; ++row) {
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ((*both)->keys.Row(row)[i], (*both)->keys.Row(row)[i + 4]);
    }
  }
}

TEST(Network, FoldsTheFinalGainIntoTheHead) {
  const Tensors tensors = LlamaTensors();
  const auto network = BuildOrFail(ModelOf(tensors, LlamaConfig()));
  const auto rows = network->OutputRows(std::vector<uint32_t>{2});
  ASSERT_TRUE(rows);
  for (size_t i = 0; i < kHidden; ++i) {
    EXPECT_FLOAT_EQ(rows->Row(0)[i], tensors.at("lm_head.weight").values[2 * kHidden + i] *
                                         tensors.at("model.norm.weight").values[i]);
  }
}

TEST(Network, TakesAStoredHeadWhateverTheConfigSaysOfTies) {
  Json config = LlamaConfig();
  config["tie_word_embeddings"] = true;
  const auto network = BuildOrFail(ModelOf(LlamaTensors(), config));
  EXPECT_FALSE(network->description().tied_head);
}

TEST(Network, OfAnEncoderReadsOutThroughTheEmbedding) {
  Tensors tensors = LlamaTensors();
  tensors.erase("lm_head.weight");
  Json config = LlamaConfig();
  config["tie_word_embeddings"] = false;
  const auto network = BuildOrFail(ModelOf(tensors, config));
  EXPECT_FALSE(network->description().has_head);
  const std::vector<uint32_t> ids = {1, 5};
  const auto in = network->InputRows(ids);
  const auto out = network->OutputRows(ids);
  ASSERT_TRUE(in && out);
  EXPECT_TRUE(std::ranges::equal(in->values(), out->values()));
}

// A decoder like Llama under a name that nobody has heard of.
TEST(Network, ReadsAnUnknownArchitectureByItsNamesAndShapes) {
  const auto known = BuildOrFail(ModelOf(LlamaTensors(), LlamaConfig()));
  Json config = LlamaConfig();
  config["model_type"] = "unheard_of";
  const auto unknown = BuildOrFail(ModelOf(LlamaTensors(), config));
  EXPECT_EQ(unknown->description().architecture, "generic");
  EXPECT_FALSE(unknown->description().assumed.empty());
  const std::vector<uint32_t> ids = {1, 5, 9};
  const auto expected = RunForward(*known, ids);
  const auto found = RunForward(*unknown, ids);
  ASSERT_TRUE(expected && found);
  EXPECT_TRUE(std::ranges::equal(found->logits.values(), expected->logits.values()));
}

// The type of the model inside a wrapper counts, with or without "_text".
TEST(Network, FindsTheRowOfAWrappedModel) {
  Json config = Json::object();
  config["model_type"] = "paligemma";
  config["text_config"] = LlamaConfig();
  for (const std::string type : {"gemma", "gemma3_text"}) {
    config["text_config"]["model_type"] = type;
    const auto network = BuildOrFail(ModelOf(LlamaTensors(), config));
    EXPECT_EQ(network->description().architecture, type.substr(0, type.find('_')));
  }
}

TEST(Network, WithoutConfigLeavesOutSharedKeysButReadsTheFeedForward) {
  const auto network = BuildOrFail(ModelOf(LlamaTensors()));
  ASSERT_NE(network, nullptr);
  EXPECT_THAT(network->description().assumed, testing::Contains("head count"));
  EXPECT_EQ(network->description().layers[0].mixer, MixerKind::kNone);
  EXPECT_TRUE(network->description().layers[0].has_feed_forward);
  const auto rows = network->InputRows(std::vector<uint32_t>{1});
  EXPECT_TRUE(network->FeedForwardOutput(0, *network->FeedForwardInput(0, *rows)));
}

TEST(Network, WithoutConfigReadsHeadsThatShareNothing) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.self_attn.k_proj.weight"] = Noise({8, kHidden}, 7);
  tensors["model.layers.0.self_attn.v_proj.weight"] = Noise({8, kHidden}, 8);
  Json config = LlamaConfig();
  config.erase("num_key_value_heads");
  const auto stated = BuildOrFail(ModelOf(tensors, config));
  const auto alone = BuildOrFail(ModelOf(tensors));
  const auto rows = alone->InputRows(std::vector<uint32_t>{1, 2});
  const auto expected = stated->MixerOutput(0, *rows);
  const auto found = alone->MixerOutput(0, *rows);
  ASSERT_TRUE(expected && found);
  EXPECT_EQ(found->rows(), 2u);
  EXPECT_TRUE(std::ranges::equal(found->values(), expected->values()));
  EXPECT_TRUE(alone->QueriesAndKeysOf(0, *rows).operator bool());
  const auto forward = RunForward(*alone, std::vector<uint32_t>{1});
  ASSERT_FALSE(forward);
  EXPECT_EQ(forward.error().kind, ErrorKind::kUnsupported);
}

TEST(Network, TellsHeadsByTheirNormWithoutConfig) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.self_attn.q_norm.weight"] = Noise({4}, 20);
  tensors["model.layers.0.self_attn.k_norm.weight"] = Noise({4}, 21);
  const auto network = BuildOrFail(ModelOf(tensors));
  ASSERT_EQ(network->description().layers[0].mixer, MixerKind::kAttention);
  const auto rows = network->InputRows(std::vector<uint32_t>{1});
  const auto both = network->QueriesAndKeysOf(0, *rows);
  ASSERT_TRUE(both && both->has_value());
  EXPECT_EQ((*both)->keys.columns(), 8u);
}

// Hostile input: each names the tensor and the reason.

TEST(Network, RefusesHeadsThatDoNotDivide) {
  Json config = LlamaConfig();
  config["num_attention_heads"] = 3;
  const Error error = BuildError(ModelOf(LlamaTensors(), config));
  EXPECT_EQ(error.kind, ErrorKind::kBadFile);
  EXPECT_EQ(error.tensor, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_THAT(error.expected, testing::HasSubstr("3 heads"));
}

TEST(Network, RefusesAHeadSizeThatContradictsTheShapes) {
  Json config = LlamaConfig();
  config["head_dim"] = 5;
  const Error error = BuildError(ModelOf(LlamaTensors(), config));
  EXPECT_EQ(error.kind, ErrorKind::kBadFile);
  EXPECT_EQ(error.tensor, "model.layers.0.self_attn.q_proj.weight");
}

TEST(Network, RefusesKeysThatCannotBeShared) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.self_attn.k_proj.weight"] = Noise({6, kHidden}, 7);
  const Error error = BuildError(ModelOf(tensors, LlamaConfig()));
  EXPECT_EQ(error.kind, ErrorKind::kBadFile);
  EXPECT_EQ(error.tensor, "model.layers.0.self_attn.k_proj.weight");
}

TEST(Network, TakesZeroHeadsForNone) {
  Json config = LlamaConfig();
  config["num_attention_heads"] = 0;
  const auto network = BuildOrFail(ModelOf(LlamaTensors(), config));
  EXPECT_THAT(network->description().assumed, testing::Contains("head count"));
  EXPECT_EQ(network->description().layers[0].mixer, MixerKind::kNone);
}

TEST(Network, RefusesMatricesThatDoNotFitEachOther) {
  struct Case {
    std::string tensor;
    std::vector<uint64_t> shape;
  };
  const std::string layer = "model.layers.0.";
  for (const Case& bad : {Case{layer + "mlp.gate_proj.weight", {11, kHidden}},
                          Case{layer + "mlp.down_proj.weight", {kHidden, 13}},
                          Case{layer + "self_attn.o_proj.weight", {kHidden, 7}},
                          Case{layer + "self_attn.v_proj.weight", {4, 9}},
                          Case{layer + "input_layernorm.weight", {7}}}) {
    Tensors tensors = LlamaTensors();
    tensors[bad.tensor] = Noise(bad.shape, 1);
    const Error error = BuildError(ModelOf(tensors, LlamaConfig()));
    EXPECT_EQ(error.kind, ErrorKind::kBadFile) << bad.tensor;
    EXPECT_EQ(error.tensor, bad.tensor);
  }
}

// Of an architecture that nobody knows the reading may be what is wrong.
TEST(Network, LeavesOutWhatItCannotReadOfAnUnknownArchitecture) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.self_attn.o_proj.weight"] = Noise({kHidden, 7}, 1);
  Json config = LlamaConfig();
  config["model_type"] = "unheard_of";
  const auto network = BuildOrFail(ModelOf(tensors, config));
  EXPECT_EQ(network->description().layers[0].mixer, MixerKind::kNone);
  EXPECT_TRUE(network->description().layers[0].has_feed_forward);
  EXPECT_THAT(network->description().assumed,
              testing::Contains(testing::HasSubstr("attention left out")));
  const auto forward = RunForward(*network, std::vector<uint32_t>{1});
  ASSERT_FALSE(forward);
  EXPECT_EQ(forward.error().kind, ErrorKind::kUnsupported);
}

TEST(Network, WithoutAnEmbeddingNothingRuns) {
  Tensors tensors = LlamaTensors();
  tensors.erase("model.embed_tokens.weight");
  const Model model = ModelOf(tensors, LlamaConfig());
  const auto network = BuildOrFail(model);
  EXPECT_EQ(network->description().vocabulary_size, 0u);
  EXPECT_EQ(network->description().hidden_size, kHidden);
  EXPECT_TRUE(network->description().layers[0].has_feed_forward);
  const auto forward = RunForward(*network, std::vector<uint32_t>{1});
  ASSERT_FALSE(forward);
  EXPECT_EQ(forward.error().problem, "the model has no token embedding that is known as one");
  const auto missing = FindMissingEmbedding(model, *network);
  ASSERT_EQ(missing.size(), 1u) << "a head writes tokens";
  EXPECT_EQ(missing[0].what, "the token embedding");
  EXPECT_TRUE(FindMissingEmbedding(ModelOf(LlamaTensors(), LlamaConfig()),
                                   *BuildOrFail(ModelOf(LlamaTensors(), LlamaConfig())))
                  .empty());
  tensors["model.patch_embed.proj.weight"] = Noise({kHidden, 12}, 13);
  tensors.erase("lm_head.weight");
  const Model tower = ModelOf(tensors, LlamaConfig());
  EXPECT_TRUE(FindMissingEmbedding(tower, *BuildOrFail(tower)).empty());
}

TEST(Network, AnEmbeddingAloneIsNoModel) {
  const Error error = BuildError(
      ModelOf({{"model.embed_tokens.weight", Noise({kVocabulary, kHidden}, 1)}}, LlamaConfig()));
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.problem, testing::HasSubstr("no layer"));
}

TEST(Network, LayersOfNothingKnownDoNotRun) {
  Tensors tensors = {{"model.embed_tokens.weight", Noise({kVocabulary, kHidden}, 1)}};
  tensors["model.layers.0.mystery.weight"] = Noise({3, 5}, 2);
  const auto network = BuildOrFail(ModelOf(tensors, LlamaConfig()));
  EXPECT_THAT(network->description().assumed,
              testing::Contains("no layer has parts that are known"));
  const auto forward = RunForward(*network, std::vector<uint32_t>{1});
  ASSERT_FALSE(forward);
  EXPECT_EQ(forward.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(forward.error().problem, testing::HasSubstr("no layer"));
}

TEST(Network, RefusesNormsThatDoNotFitTheirQueriesOrKeys) {
  const std::string layer = "model.layers.0.self_attn.";
  const auto error_of = [&](uint64_t query_gain, uint64_t key_gain) {
    Tensors tensors = LlamaTensors();
    tensors[layer + "k_proj.weight"] = Noise({8, kHidden}, 7);
    tensors[layer + "v_proj.weight"] = Noise({8, kHidden}, 8);
    tensors[layer + "q_norm.weight"] = Noise({query_gain}, 14);
    tensors[layer + "k_norm.weight"] = Noise({key_gain}, 15);
    Json config = LlamaConfig();
    config["num_key_value_heads"] = 2;
    const auto network = Network::Build(ModelOf(tensors, config));
    return network ? std::string() : network.error().tensor + ": " + network.error().problem;
  };
  EXPECT_EQ(error_of(4, 4), "") << "head by head";
  EXPECT_EQ(error_of(8, 8), "") << "all at once";
  EXPECT_EQ(error_of(8, 2), layer + "k_norm.weight: the norm does not fit what it normalises");
  EXPECT_EQ(error_of(6, 4), layer + "q_norm.weight: the norm does not fit what it normalises");
  EXPECT_EQ(error_of(8, 4),
            layer +
                "k_norm.weight: queries are normalised head by head and keys as a whole, or "
                "the other way round");
}

TEST(Network, AFusedGateThatIsTooSmallIsNotReadAsNone) {
  Tensors tensors = LlamaTensors();
  const std::string layer = "model.layers.0.mlp.";
  tensors.erase(layer + "gate_proj.weight");
  tensors.erase(layer + "up_proj.weight");
  tensors[layer + "gate_up_proj.weight"] = Noise({24, kHidden}, 16);
  EXPECT_TRUE(Network::Build(ModelOf(tensors, LlamaConfig())));
  tensors[layer + "gate_up_proj.weight"] = Noise({12, kHidden}, 16);
  const Error error = BuildError(ModelOf(tensors, LlamaConfig()));
  EXPECT_EQ(error.kind, ErrorKind::kBadFile);
  EXPECT_EQ(error.tensor, layer + "down_proj.weight");
  EXPECT_EQ(error.found, "12 inputs");
  EXPECT_EQ(error.expected, "6");
}

TEST(Network, NamesTheWeightThatIsNotANumber) {
  for (const std::string tensor :
       {"model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.v_proj.weight"}) {
    Tensors tensors = LlamaTensors();
    tensors[tensor].values[3] = std::numeric_limits<float>::quiet_NaN();
    const auto network = BuildOrFail(ModelOf(tensors, LlamaConfig()));
    const auto rows = network->InputRows(std::vector<uint32_t>{1});
    const auto inputs = network->MixerInput(0, *rows);
    const auto output = inputs ? network->MixerOutput(0, *inputs) : inputs;
    ASSERT_FALSE(output) << tensor;
    EXPECT_EQ(output.error().kind, ErrorKind::kBadFile);
    EXPECT_EQ(output.error().tensor, tensor);
  }
}

TEST(Network, NamesAHeadThatLacksAToken) {
  Tensors tensors = LlamaTensors();
  tensors["lm_head.weight"] = Noise({kVocabulary - 1, kHidden}, 3);
  const auto network = BuildOrFail(ModelOf(tensors, LlamaConfig()));
  EXPECT_TRUE(network->OutputRows(std::vector<uint32_t>{8}));
  const auto rows = network->OutputRows(std::vector<uint32_t>{9});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(rows.error().tensor, "lm_head.weight");
}

TEST(Network, RefusesCodes) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.mlp.up_proj.weight_scale_inv"] = Noise({1, 1}, 1);
  const Error error = BuildError(ModelOf(tensors, LlamaConfig()));
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.problem, testing::HasSubstr("quantiser"));
}

// Absurd numbers in config.json: the kernels need none of these, the forward pass says no.
TEST(Network, SurvivesAbsurdNumbers) {
  for (const char* text :
       {R"({"rope_theta": -1})", R"({"rope_theta": 0})", R"({"partial_rotary_factor": 1e300})",
        R"({"rope_scaling": {"type": "yarn", "factor": -1e308}})",
        R"({"query_pre_attn_scalar": -4})", R"({"query_pre_attn_scalar": 0})",
        R"({"rope_scaling": {"type": "magic"}})"}) {
    Json config = LlamaConfig();
    config.update(Json::parse(text));
    const auto network = BuildOrFail(ModelOf(LlamaTensors(), config));
    ASSERT_NE(network, nullptr) << text;
    const auto rows = network->InputRows(std::vector<uint32_t>{1});
    EXPECT_TRUE(network->MixerOutput(0, *rows)) << text;
    EXPECT_FALSE(RunForward(*network, std::vector<uint32_t>{1})) << text;
  }
  for (const char* text :
       {R"({"rms_norm_eps": -1})", R"({"rms_norm_eps": 1e300})", R"({"hidden_act": "magic"})",
        R"({"hidden_act": 7})", R"({"sliding_window": -5})", R"({"layer_types": "all"})",
        R"({"layer_types": [1, 2]})", R"({"num_hidden_layers": 1000000000})",
        R"({"no_rope_layers": {"0": 1}})", R"({"rope_scaling": []})"}) {
    Json config = LlamaConfig();
    config.update(Json::parse(text));
    const auto network = BuildOrFail(ModelOf(LlamaTensors(), config));
    ASSERT_NE(network, nullptr) << text;
    EXPECT_TRUE(RunForward(*network, std::vector<uint32_t>{1})) << text;
  }
}

TEST(Forward, RefusesWhatItWouldLeaveOut) {
  Tensors tensors = LlamaTensors();
  tensors["model.layers.0.mystery.weight"] = Noise({kHidden, kHidden}, 30);
  const auto network = BuildOrFail(ModelOf(tensors, LlamaConfig()));
  const auto forward = RunForward(*network, std::vector<uint32_t>{1});
  ASSERT_FALSE(forward);
  EXPECT_EQ(forward.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(forward.error().tensor, "model.layers.0.mystery.weight");
}

TEST(Forward, OfALaterTokenChangesNothingBefore) {
  const auto network = BuildOrFail(ModelOf(LlamaTensors(), LlamaConfig()));
  const auto shorter = RunForward(*network, std::vector<uint32_t>{1, 2});
  const auto longer = RunForward(*network, std::vector<uint32_t>{1, 2, 3});
  ASSERT_TRUE(shorter && longer);
  for (size_t row = 0; row < 2; ++row) {
    EXPECT_TRUE(std::ranges::equal(shorter->logits.Row(row), longer->logits.Row(row)));
  }
}

}  // namespace
}  // namespace tensorguard::internal
