// What a re-parameterised mixer or mixture computes stays the same: permuted units, experts and
// channels, and scale moved between matrices that follow each other.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "network/attention/latent_attention.h"
#include "network/feed_forward/mixture_of_experts.h"
#include "network/recurrent/recurrent_mixer.h"
#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

using Tensors = std::map<std::string, TensorValues>;
using Order = std::vector<size_t>;

constexpr size_t kHidden = 6;

// Different numbers for each tensor, the same in every run.
class RandomTensors {
 public:
  void Add(const std::string& name, std::vector<uint64_t> shape) {
    TensorValues tensor = {.shape = std::move(shape), .values = {}};
    tensor.values.resize(ElementCount(tensor.shape).value());
    for (float& value : tensor.values) value = distribution_(generator_);
    tensors[name] = std::move(tensor);
  }

  Tensors tensors;

 private:
  std::mt19937 generator_{7};
  std::normal_distribution<float> distribution_{0, 0.7f};
};

FloatMatrix RandomRows(size_t count) {
  RandomTensors random;
  random.Add("rows", {count, kHidden});
  FloatMatrix rows(count, kHidden);
  std::ranges::copy(random.tensors["rows"].values, rows.values().begin());
  return rows;
}

// Slices along a dimension in another order: slice i becomes what slice order[i] was.
void Permute(TensorValues& tensor, size_t dimension, const Order& order) {
  size_t inner = 1;
  for (size_t i = dimension + 1; i < tensor.shape.size(); ++i) inner *= tensor.shape[i];
  const size_t size = tensor.shape[dimension];
  ASSERT_EQ(size, order.size());
  const auto before = tensor.values;
  for (size_t i = 0; i < before.size(); ++i) {
    const size_t slice = i / inner % size;
    const size_t from = i + (order[slice] - slice) * inner;
    tensor.values[i] = before[from];
  }
}

void Scale(TensorValues& tensor, float factor) {
  for (float& value : tensor.values) value *= factor;
}

void ExpectSame(const FloatMatrix& a, const FloatMatrix& b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.columns(), b.columns());
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < a.values().size(); ++i) {
    largest = std::max<double>(largest, std::abs(a.values()[i]));
    difference = std::max<double>(difference, std::abs(a.values()[i] - b.values()[i]));
  }
  EXPECT_GT(largest, 0);
  EXPECT_LT(difference, 1e-5 * largest);
}

constexpr size_t kExperts = 4;

Tensors Mixture() {
  RandomTensors random;
  const std::string block = "model.layers.0.mlp.";
  random.Add("model.embed_tokens.weight", {9, kHidden});
  random.Add(block + "gate.weight", {kExperts, kHidden});
  for (size_t expert = 0; expert < kExperts; ++expert) {
    const std::string prefix = block + "experts." + std::to_string(expert) + ".";
    for (const std::string part : {"gate_proj", "up_proj"}) {
      random.Add(prefix + part + ".weight", {8, kHidden});
    }
    random.Add(prefix + "down_proj.weight", {kHidden, 8});
  }
  for (const std::string part : {"gate_proj", "up_proj"}) {
    random.Add(block + "shared_expert." + part + ".weight", {5, kHidden});
  }
  random.Add(block + "shared_expert.down_proj.weight", {kHidden, 5});
  random.Add(block + "shared_expert_gate.weight", {1, kHidden});
  return random.tensors;
}

struct MixtureResults {
  FloatMatrix routed;
  FloatMatrix mean;
};

MixtureResults RunExperts(const Tensors& tensors) {
  const TestLayer layer(tensors, {{"model_type", "test"}, {"num_experts_per_tok", 2}});
  const auto parts = layer.parts();
  const auto mixture = ReadMixture(parts, layer.config(), {}, {.kind = RoutingKind::kSoftmaxTopK});
  const auto rows = RandomRows(7);
  return {RunMixture(*mixture, rows).operator*(), RunAllExperts(*mixture, rows).operator*()};
}

TEST(MixtureInvariance, PermutedExpertsAndUnits) {
  const auto before = RunExperts(Mixture());
  auto tensors = Mixture();
  const std::string block = "model.layers.0.mlp.";
  Permute(tensors[block + "gate.weight"], 0, {2, 0, 3, 1});
  const auto original = Mixture();
  const Order experts = {2, 0, 3, 1};
  for (size_t expert = 0; expert < kExperts; ++expert) {
    for (const std::string part : {"gate_proj", "up_proj", "down_proj"}) {
      const auto name = [&](size_t number) {
        return block + "experts." + std::to_string(number) + "." + part + ".weight";
      };
      tensors[name(expert)] = original.at(name(experts[expert]));
      Permute(tensors[name(expert)], part == "down_proj" ? 1 : 0, {7, 2, 5, 0, 1, 6, 3, 4});
    }
  }
  const auto after = RunExperts(tensors);
  ExpectSame(before.routed, after.routed);
  ExpectSame(before.mean, after.mean);
}

TEST(MixtureInvariance, ScaleMovedFromUpToDown) {
  auto tensors = Mixture();
  for (const std::string expert : {"experts.1", "shared_expert"}) {
    Scale(tensors["model.layers.0.mlp." + expert + ".up_proj.weight"], 4);
    Scale(tensors["model.layers.0.mlp." + expert + ".down_proj.weight"], 0.25f);
  }
  const auto before = RunExperts(Mixture());
  const auto after = RunExperts(tensors);
  ExpectSame(before.routed, after.routed);
  ExpectSame(before.mean, after.mean);
}

const std::string kAttention = "model.layers.0.self_attn.";

// Two heads with 3 columns without rotation, 2 with, and values of 4; bottlenecks of 5 and 4.
Tensors Latent() {
  RandomTensors random;
  random.Add("model.embed_tokens.weight", {9, kHidden});
  random.Add(kAttention + "q_a_proj.weight", {5, kHidden});
  random.Add(kAttention + "q_a_layernorm.weight", {5});
  random.Add(kAttention + "q_b_proj.weight", {10, 5});
  random.Add(kAttention + "kv_a_proj_with_mqa.weight", {6, kHidden});
  random.Add(kAttention + "kv_a_layernorm.weight", {4});
  random.Add(kAttention + "kv_b_proj.weight", {14, 4});
  random.Add(kAttention + "o_proj.weight", {kHidden, 8});
  return random.tensors;
}

AttentionRows RunLatent(const Tensors& tensors) {
  const TestLayer layer(tensors, {{"model_type", "deepseek_v3"},
                                  {"num_attention_heads", 2},
                                  {"qk_nope_head_dim", 3},
                                  {"qk_rope_head_dim", 2}});
  const auto parts = layer.parts();
  const auto latent = ReadLatentAttention(parts, layer.config());
  return ProjectLatent(parts, *latent, layer.config(), RandomRows(5)).operator*();
}

TEST(LatentInvariance, PermutedBottlenecksAndMovedGains) {
  const auto before = RunLatent(Latent());
  auto tensors = Latent();
  const Order queries = {3, 1, 4, 0, 2};
  Permute(tensors[kAttention + "q_a_proj.weight"], 0, queries);
  Permute(tensors[kAttention + "q_a_layernorm.weight"], 0, queries);
  Permute(tensors[kAttention + "q_b_proj.weight"], 1, queries);
  // The bottleneck's four columns, then the rotated part that has to stay.
  Permute(tensors[kAttention + "kv_a_proj_with_mqa.weight"], 0, {2, 0, 3, 1, 4, 5});
  Permute(tensors[kAttention + "kv_a_layernorm.weight"], 0, {2, 0, 3, 1});
  Permute(tensors[kAttention + "kv_b_proj.weight"], 1, {2, 0, 3, 1});
  Scale(tensors[kAttention + "kv_a_layernorm.weight"], 8);
  Scale(tensors[kAttention + "kv_b_proj.weight"], 0.125f);
  const auto after = RunLatent(tensors);
  ExpectSame(before.queries, after.queries);
  ExpectSame(before.keys, after.keys);
  ExpectSame(before.values, after.values);
}

FloatMatrix RunRecurrent(const Tensors& tensors, const Json& config) {
  const TestLayer layer(tensors, config);
  const auto parts = layer.parts();
  const auto mixer = FindRecurrentMixer(parts);
  EXPECT_NE(mixer, nullptr);
  if (mixer == nullptr) return {};
  auto result = mixer->run(parts, layer.config(), RandomRows(8), 4);
  EXPECT_TRUE(result) << DescribeError(result.error());
  return result ? *std::move(result) : FloatMatrix();
}

// The first `order.size()` slices in another order, and each further stretch of as many too.
Order Repeated(const Order& order, size_t times) {
  Order repeated;
  for (size_t i = 0; i < times * order.size(); ++i) {
    repeated.push_back(i / order.size() * order.size() + order[i % order.size()]);
  }
  return repeated;
}

TEST(MambaInvariance, PermutedChannelsAndStates) {
  const std::string mixer = "backbone.layers.0.mixer.";
  RandomTensors random;
  random.Add("backbone.embeddings.weight", {9, kHidden});
  random.Add(mixer + "A_log", {5, 3});
  random.Add(mixer + "D", {5});
  random.Add(mixer + "conv1d.weight", {5, 1, 4});
  random.Add(mixer + "conv1d.bias", {5});
  random.Add(mixer + "dt_proj.weight", {5, 2});
  random.Add(mixer + "dt_proj.bias", {5});
  random.Add(mixer + "in_proj.weight", {10, kHidden});
  random.Add(mixer + "out_proj.weight", {kHidden, 5});
  random.Add(mixer + "x_proj.weight", {8, 5});
  const Json config = {{"model_type", "mamba"}};
  const auto before = RunRecurrent(random.tensors, config);
  auto tensors = random.tensors;
  const Order channels = {4, 2, 0, 3, 1};
  for (const std::string name :
       {"A_log", "D", "conv1d.weight", "conv1d.bias", "dt_proj.weight", "dt_proj.bias"}) {
    Permute(tensors[mixer + name], 0, channels);
  }
  Permute(tensors[mixer + "in_proj.weight"], 0, Repeated(channels, 2));
  Permute(tensors[mixer + "out_proj.weight"], 1, channels);
  Permute(tensors[mixer + "x_proj.weight"], 1, channels);
  // Rows of x_proj: two for the step, then the states' inputs and outputs.
  Permute(tensors[mixer + "A_log"], 1, {1, 2, 0});
  Permute(tensors[mixer + "x_proj.weight"], 0, {0, 1, 3, 4, 2, 6, 7, 5});
  ExpectSame(before, RunRecurrent(tensors, config));
}

TEST(Mamba2Invariance, PermutedHeads) {
  // Three heads of two columns, one group of states of 4: z, x, B, C, dt.
  const std::string mixer = "backbone.layers.0.mixer.";
  RandomTensors random;
  random.Add("backbone.embeddings.weight", {9, kHidden});
  for (const std::string name : {"A_log", "D", "dt_bias"}) random.Add(mixer + name, {3});
  random.Add(mixer + "conv1d.weight", {14, 1, 4});
  random.Add(mixer + "conv1d.bias", {14});
  random.Add(mixer + "in_proj.weight", {23, kHidden});
  random.Add(mixer + "norm.weight", {6});
  random.Add(mixer + "out_proj.weight", {kHidden, 6});
  const Json config = {{"model_type", "mamba2"}, {"n_groups", 1}};
  const auto before = RunRecurrent(random.tensors, config);
  auto tensors = random.tensors;
  for (const std::string name : {"A_log", "D", "dt_bias"}) {
    Permute(tensors[mixer + name], 0, {1, 2, 0});
  }
  Order columns = {2, 3, 4, 5, 0, 1};
  Permute(tensors[mixer + "norm.weight"], 0, columns);
  Permute(tensors[mixer + "out_proj.weight"], 1, columns);
  Order convolved = columns;
  for (size_t i = 6; i < 14; ++i) convolved.push_back(i);
  Permute(tensors[mixer + "conv1d.weight"], 0, convolved);
  Permute(tensors[mixer + "conv1d.bias"], 0, convolved);
  Order projected = columns;
  for (const size_t i : convolved) projected.push_back(6 + i);
  for (const size_t head : {1, 2, 0}) projected.push_back(20 + head);
  Permute(tensors[mixer + "in_proj.weight"], 0, projected);
  ExpectSame(before, RunRecurrent(tensors, config));
}

TEST(RwkvInvariance, PermutedColumnsAndMovedScale) {
  const std::string mixer = "rwkv.blocks.0.attention.";
  RandomTensors random;
  random.Add("rwkv.embeddings.weight", {9, kHidden});
  for (const std::string name : {"time_decay", "time_first"}) random.Add(mixer + name, {5});
  for (const std::string use : {"key", "value", "receptance"}) {
    random.Add(mixer + "time_mix_" + use, {1, 1, kHidden});
    random.Add(mixer + use + ".weight", {5, kHidden});
  }
  random.Add(mixer + "output.weight", {kHidden, 5});
  const Json config = {{"model_type", "rwkv"}};
  const auto before = RunRecurrent(random.tensors, config);
  auto tensors = random.tensors;
  const Order columns = {4, 2, 0, 3, 1};
  for (const std::string name :
       {"time_decay", "time_first", "key.weight", "value.weight", "receptance.weight"}) {
    Permute(tensors[mixer + name], 0, columns);
  }
  Permute(tensors[mixer + "output.weight"], 1, columns);
  Scale(tensors[mixer + "value.weight"], 2);
  Scale(tensors[mixer + "output.weight"], 0.5f);
  ExpectSame(before, RunRecurrent(tensors, config));
}

TEST(GatedDeltaNetInvariance, PermutedKeyHeadsAndColumns) {
  // Two key heads of two columns, a value head of three for each: q k v z by head, b a by head.
  const std::string mixer = "model.layers.0.linear_attn.";
  RandomTensors random;
  random.Add("model.embed_tokens.weight", {9, kHidden});
  for (const std::string name : {"A_log", "dt_bias"}) random.Add(mixer + name, {2});
  random.Add(mixer + "conv1d.weight", {14, 1, 4});
  random.Add(mixer + "in_proj_qkvz.weight", {20, kHidden});
  random.Add(mixer + "in_proj_ba.weight", {4, kHidden});
  random.Add(mixer + "norm.weight", {3});
  random.Add(mixer + "out_proj.weight", {kHidden, 6});
  const Json config = {{"model_type", "qwen3_next"}, {"linear_num_key_heads", 2}};
  const auto before = RunRecurrent(random.tensors, config);
  auto tensors = random.tensors;
  for (const std::string name : {"A_log", "dt_bias"}) Permute(tensors[mixer + name], 0, {1, 0});
  Permute(tensors[mixer + "in_proj_qkvz.weight"], 0,
          {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  Permute(tensors[mixer + "in_proj_ba.weight"], 0, {2, 3, 0, 1});
  Permute(tensors[mixer + "conv1d.weight"], 0, {2, 3, 0, 1, 6, 7, 4, 5, 11, 12, 13, 8, 9, 10});
  Permute(tensors[mixer + "out_proj.weight"], 1, {3, 4, 5, 0, 1, 2});
  ExpectSame(before, RunRecurrent(tensors, config));
  // The two columns of the first head's query and key change places together.
  Permute(tensors[mixer + "in_proj_qkvz.weight"], 0,
          {1, 0, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  Permute(tensors[mixer + "conv1d.weight"], 0, {1, 0, 2, 3, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13});
  ExpectSame(before, RunRecurrent(tensors, config));
}

}  // namespace
}  // namespace tensorguard::internal
