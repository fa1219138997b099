#include "network/feed_forward/mixture_of_experts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

using Tensors = std::map<std::string, TensorValues>;

// Experts over two hidden columns that multiply relu(x) by 1, 2 and 3, without a gate.
Tensors ScalingExperts() {
  Tensors tensors = {
      {"model.embed_tokens.weight", {{4, 2}, std::vector<float>(8, 1)}},
      // The third expert likes the first column, the first one the second.
      {"model.layers.0.mlp.gate.weight", {{3, 2}, {0, 1, 0, 0, 1, 0}}},
  };
  for (int expert = 0; expert < 3; ++expert) {
    const std::string prefix = "model.layers.0.mlp.experts." + std::to_string(expert) + ".";
    const auto factor = static_cast<float>(expert + 1);
    tensors[prefix + "up_proj.weight"] = {{2, 2}, {1, 0, 0, 1}};
    tensors[prefix + "down_proj.weight"] = {{2, 2}, {factor, 0, 0, factor}};
  }
  return tensors;
}

const Json kConfig = {{"model_type", "test"}, {"num_experts_per_tok", 1}};
constexpr FeedForwardSettings kRelu = {.activation = Activation::kRelu};

TEST(MixtureOfExperts, SendsEachRowToItsExpert) {
  const TestLayer layer(ScalingExperts(), kConfig);
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kTopKSoftmax}).operator*();
  EXPECT_EQ(mixture.experts, 3u);
  EXPECT_FALSE(mixture.has_shared_expert);
  const auto out = RunMixture(mixture, MatrixOf({{5, 0}, {0, 5}}));
  ASSERT_TRUE(out) << DescribeError(out.error());
  EXPECT_FLOAT_EQ(out->Row(0)[0], 15);
  EXPECT_FLOAT_EQ(out->Row(1)[1], 5);
  EXPECT_FLOAT_EQ(out->Row(1)[0], 0);
}

TEST(MixtureOfExperts, AddsTheSharedExpertThroughItsGate) {
  auto tensors = ScalingExperts();
  tensors["model.layers.0.mlp.shared_expert.up_proj.weight"] = {{2, 2}, {1, 0, 0, 1}};
  tensors["model.layers.0.mlp.shared_expert.down_proj.weight"] = {{2, 2}, {10, 0, 0, 10}};
  tensors["model.layers.0.mlp.shared_expert_gate.weight"] = {{1, 2}, {0, std::log(3.0f)}};
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kTopKSoftmax}).operator*();
  EXPECT_TRUE(mixture.has_shared_expert);
  // The gate is sigmoid(0) for the first row, sigmoid(log 3) for the second.
  const auto rows = MatrixOf({{1, 0}, {0, 1}});
  const auto out = RunMixture(mixture, rows);
  ASSERT_TRUE(out) << DescribeError(out.error());
  EXPECT_FLOAT_EQ(out->Row(0)[0], 3 + 5);
  EXPECT_FLOAT_EQ(out->Row(1)[1], 1 + 7.5);
  const auto mean = RunAllExperts(mixture, rows);
  ASSERT_TRUE(mean) << DescribeError(mean.error());
  EXPECT_FLOAT_EQ(mean->Row(0)[0], 2 + 5);
  EXPECT_FLOAT_EQ(mean->Row(1)[1], 2 + 7.5);
  const auto alone = RunExpert(mixture, 2, rows);
  ASSERT_TRUE(alone) << DescribeError(alone.error());
  EXPECT_FLOAT_EQ(alone->Row(0)[0], 3);
}

TEST(MixtureOfExperts, ScalesTheInputWhereTheArchitectureDoes) {
  const TestLayer layer(ScalingExperts(), kConfig);
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kSigmoidInput}).operator*();
  const float score = std::log(4.0f);
  const auto out = RunMixture(mixture, MatrixOf({{score, 0}}));
  ASSERT_TRUE(out) << DescribeError(out.error());
  EXPECT_FLOAT_EQ(out->Row(0)[0], 3 * 0.8f * score);
}

TEST(MixtureOfExperts, TellsACorrectionFromABias) {
  auto tensors = ScalingExperts();
  tensors["model.layers.0.mlp.gate.e_score_correction_bias"] = {{3}, {0, 9, 0}};
  const TestLayer corrected(tensors, kConfig);
  const auto corrected_parts = corrected.parts();
  const auto mixture = ReadMixture(corrected_parts, corrected.config(), kRelu, {}).operator*();
  ASSERT_NE(mixture.correction, nullptr);
  EXPECT_EQ(mixture.router->bias, nullptr);
  // Chosen by the correction; normalised, its weight is 1.
  const auto out = RunMixture(mixture, MatrixOf({{5, 0}}));
  ASSERT_TRUE(out) << DescribeError(out.error());
  EXPECT_FLOAT_EQ(out->Row(0)[0], 10);
}

TEST(MixtureOfExperts, AnImpossibleRoutingConcernsSequencesAlone) {
  const TestLayer layer(ScalingExperts(), {{"model_type", "test"}, {"num_experts_per_tok", 7}});
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kTopKSoftmax}).operator*();
  const auto rows = MatrixOf({{1, 0}});
  const auto out = RunMixture(mixture, rows);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().problem,
            "\"num_experts_per_tok\" of config.json is more than the experts that can be chosen");
  EXPECT_EQ(out.error().found, "7");
  EXPECT_EQ(out.error().expected, "at most 3");
  EXPECT_TRUE(RunAllExperts(mixture, rows));
}

TEST(MixtureOfExperts, RefusesExpertsWithAPartMissing) {
  auto tensors = ScalingExperts();
  tensors.erase("model.layers.0.mlp.experts.1.down_proj.weight");
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto mixture = ReadMixture(parts, layer.config(), kRelu, {});
  ASSERT_FALSE(mixture);
  EXPECT_EQ(mixture.error().problem, "expert 1 of layer 0 lacks a matrix");
}

void ExpectRoutingRefused(const Tensors& tensors, const std::string& problem,
                          const std::string& tensor) {
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kTopKSoftmax}).operator*();
  const auto out = RunMixture(mixture, MatrixOf({{1, 0}}));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(out.error().problem, problem);
  EXPECT_EQ(out.error().tensor, tensor);
}

TEST(MixtureOfExperts, RefusesARouterThatIsNotUnderstood) {
  const std::string gate = "model.layers.0.mlp.gate.weight";
  auto tensors = ScalingExperts();
  tensors[gate] = {{2, 2}, {0, 1, 0, 0}};
  ExpectRoutingRefused(tensors, "the tensor has no place in what is known of routing", gate);
  tensors.erase(gate);
  ExpectRoutingRefused(tensors, "the experts of a layer have no router that is known", "");
  tensors = ScalingExperts();
  // Weighs the shared expert against the routed ones, in an architecture without a row.
  tensors["model.layers.0.mlp.coefficient.weight"] = {{2, 2}, {0, 1, 0, 0}};
  ExpectRoutingRefused(tensors, "the tensor has no place in what is known of routing",
                       "model.layers.0.mlp.coefficient.weight");
}

TEST(MixtureOfExperts, RefusesExpertsOfAnotherWidth) {
  auto tensors = ScalingExperts();
  tensors["model.layers.0.mlp.experts.0.up_proj.weight"] = {{4, 2}, std::vector<float>(8, 1)};
  tensors["model.layers.0.mlp.experts.0.down_proj.weight"] = {{3, 4}, std::vector<float>(12, 1)};
  const TestLayer layer(tensors, kConfig);
  const auto parts = layer.parts();
  const auto mixture =
      ReadMixture(parts, layer.config(), kRelu, {.kind = RoutingKind::kTopKSoftmax}).operator*();
  const auto out = RunAllExperts(mixture, MatrixOf({{1, 0}}));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().problem, "the expert puts out another width than it takes in");
}

}  // namespace
}  // namespace tensorguard::internal
