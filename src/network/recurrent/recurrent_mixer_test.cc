#include "network/recurrent/recurrent_mixer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "network/forward.h"
#include "network/network.h"
#include "network/recurrent/causal_convolution.h"
#include "network/recurrent/lightning_attention.h"
#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

double SigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }
double SiluOf(double x) { return x * SigmoidOf(x); }
double SoftplusOf(double x) { return std::log1p(std::exp(x)); }

using Tensors = std::map<std::string, TensorValues>;

// The mixer that is found in the layer, on a sequence of single columns.
Result<FloatMatrix> RunMixer(const Tensors& tensors, const Json& config, const FloatMatrix& rows,
                             size_t sequence_length, const std::string& name) {
  const TestLayer layer(tensors, config);
  const auto parts = layer.parts();
  const RecurrentMixer* mixer = FindRecurrentMixer(parts);
  if (mixer == nullptr) return Error{.problem = "no mixer"};
  EXPECT_EQ(mixer->name, name);
  return mixer->run(parts, layer.config(), rows, sequence_length);
}

// `outputs` of one column.
void ExpectColumn(const Result<FloatMatrix>& result, const std::vector<double>& outputs) {
  ASSERT_TRUE(result) << DescribeError(result.error());
  ASSERT_EQ(result->rows(), outputs.size());
  for (size_t t = 0; t < outputs.size(); ++t) {
    EXPECT_NEAR(result->Row(t)[0], outputs[t], 1e-5 * std::max(1.0, std::abs(outputs[t]))) << t;
  }
}

// What the check says of a layer must be what a run says.
Result<void> Check(const Tensors& tensors, const Json& config) {
  const TestLayer layer(tensors, config);
  const auto parts = layer.parts();
  return FindRecurrentMixer(parts)->check(parts, layer.config());
}

void ExpectProblem(const Result<FloatMatrix>& result, const std::string& problem,
                   const std::string& tensor = "") {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(result.error().problem, problem);
  EXPECT_EQ(result.error().tensor, tensor);
}

TEST(CausalConvolution, LooksBackWithinItsSequence) {
  const CausalConvolution convolution = {
      .channels = 1, .width = 3, .taps = {100, 10, 1}, .bias = {0.5f}};
  auto rows = MatrixOf({{7, 1}, {7, 2}, {7, 3}, {7, 4}, {7, 5}, {7, 6}});
  convolution.Apply(rows, 1, 3);
  const std::vector<float> expected = {1.5, 12.5, 123.5, 4.5, 45.5, 456.5};
  for (size_t t = 0; t < expected.size(); ++t) {
    EXPECT_FLOAT_EQ(rows.Row(t)[0], 7);
    EXPECT_FLOAT_EQ(rows.Row(t)[1], expected[t]);
  }
}

// One channel, one state: rate -1, convolution of width 1.
Tensors MambaLayer() {
  const std::string mixer = "backbone.layers.0.mixer.";
  return {{"backbone.embeddings.weight", {{2, 1}, {1, 1}}},
          {"backbone.layers.0.norm.weight", {{1}, {1}}},
          {mixer + "A_log", {{1, 1}, {0}}},
          {mixer + "D", {{1}, {0.5f}}},
          {mixer + "conv1d.weight", {{1, 1, 1}, {1}}},
          {mixer + "dt_proj.weight", {{1, 1}, {2}}},
          {mixer + "dt_proj.bias", {{1}, {0.25f}}},
          {mixer + "in_proj.weight", {{2, 1}, {1, 3}}},
          {mixer + "out_proj.weight", {{1, 1}, {4}}},
          {mixer + "x_proj.weight", {{3, 1}, {1, 2, 3}}}};
}

std::vector<double> MambaByHand(const std::vector<double>& inputs) {
  std::vector<double> outputs;
  double state = 0;
  for (const double x : inputs) {
    const double u = SiluOf(x);
    const double step = SoftplusOf(2 * u + 0.25);
    state = std::exp(-step) * state + step * u * (2 * u);
    outputs.push_back(4 * (state * 3 * u + 0.5 * u) * SiluOf(3 * x));
  }
  return outputs;
}

const Json kMambaConfig = {{"model_type", "mamba"}};

TEST(RecurrentMixer, MambaCarriesItsState) {
  ExpectColumn(RunMixer(MambaLayer(), kMambaConfig, MatrixOf({{1}, {-0.5}, {2}}), 3, "mamba"),
               MambaByHand({1, -0.5, 2}));
}

TEST(RecurrentMixer, EachSequenceStartsFromTheEmptyState) {
  const auto second = MambaByHand({2, 1})[1];
  ExpectColumn(RunMixer(MambaLayer(), kMambaConfig, MatrixOf({{1}, {-0.5}, {2}, {1}}), 2, "mamba"),
               {MambaByHand({1})[0], MambaByHand({1, -0.5})[1], MambaByHand({2})[0], second});
  ExpectColumn(RunMixer(MambaLayer(), kMambaConfig, MatrixOf({{1}, {-0.5}}), 1, "mamba"),
               {MambaByHand({1})[0], MambaByHand({-0.5})[0]});
}

TEST(RecurrentMixer, MambaNamesTheTensorThatDoesNotFit) {
  auto tensors = MambaLayer();
  tensors["backbone.layers.0.mixer.x_proj.weight"] = {{4, 1}, {1, 2, 3, 4}};
  ExpectProblem(RunMixer(tensors, kMambaConfig, MatrixOf({{1}}), 1, "mamba"),
                "has another number of outputs than the mixer's other parts want",
                "backbone.layers.0.mixer.x_proj.weight");
  tensors = MambaLayer();
  tensors.erase("backbone.layers.0.mixer.D");
  ExpectProblem(RunMixer(tensors, kMambaConfig, MatrixOf({{1}}), 1, "mamba"),
                "layer 0 lacks a part of its mixer");
  tensors = MambaLayer();
  tensors["backbone.layers.0.mixer.conv1d.weight"] = {{2, 1, 1}, {1, 1}};
  tensors["backbone.layers.0.mixer.conv1d.bias"] = {{2}, {1, 1}};
  EXPECT_FALSE(RunMixer(tensors, kMambaConfig, MatrixOf({{1}}), 1, "mamba"));
}

// Two heads of one column, one group, one state: columns of in_proj are z z x x B C dt dt.
Tensors Mamba2Layer() {
  const std::string mixer = "backbone.layers.0.mixer.";
  return {{"backbone.embeddings.weight", {{2, 1}, {1, 1}}},
          {"backbone.layers.0.norm.weight", {{1}, {9}}},
          {mixer + "A_log", {{2}, {0, std::log(2.0f)}}},
          {mixer + "D", {{2}, {0.5f, 0.25f}}},
          {mixer + "conv1d.weight", {{4, 1, 1}, {1, 1, 1, 1}}},
          {mixer + "dt_bias", {{2}, {0.1f, 0.2f}}},
          {mixer + "in_proj.weight", {{8, 1}, {1, 2, 3, -1, 0.5f, 2, 1, -1}}},
          {mixer + "norm.weight", {{2}, {1, 2}}},
          {mixer + "out_proj.weight", {{1, 2}, {1, 10}}}};
}

std::vector<double> Mamba2ByHand(const std::vector<double>& inputs, double largest_step) {
  std::vector<double> outputs;
  double states[2] = {0, 0};
  const double gates[2] = {1, 2}, values[2] = {3, -1}, steps[2] = {1, -1}, biases[2] = {0.1, 0.2},
               rates[2] = {1, 2}, skips[2] = {0.5, 0.25}, gains[2] = {1, 2}, out[2] = {1, 10};
  for (const double x : inputs) {
    double y[2];
    for (int h = 0; h < 2; ++h) {
      const double step = std::min(SoftplusOf(steps[h] * x + biases[h]), largest_step);
      const double value = SiluOf(values[h] * x);
      states[h] = std::exp(-rates[h] * step) * states[h] + step * value * SiluOf(0.5 * x);
      y[h] = (states[h] * SiluOf(2 * x) + skips[h] * value) * SiluOf(gates[h] * x);
    }
    const double root = std::sqrt((y[0] * y[0] + y[1] * y[1]) / 2 + 1e-5);
    outputs.push_back(out[0] * gains[0] * y[0] / root + out[1] * gains[1] * y[1] / root);
  }
  return outputs;
}

TEST(RecurrentMixer, Mamba2CarriesItsState) {
  Json config = {{"model_type", "mamba2"}, {"n_groups", 1}, {"layer_norm_epsilon", 1e-5}};
  const auto rows = MatrixOf({{1}, {-0.5}, {2}});
  ExpectColumn(RunMixer(Mamba2Layer(), config, rows, 3, "mamba2"),
               Mamba2ByHand({1, -0.5, 2}, INFINITY));
  config["time_step_limit"] = {0.0, 0.75};
  ExpectColumn(RunMixer(Mamba2Layer(), config, rows, 3, "mamba2"),
               Mamba2ByHand({1, -0.5, 2}, 0.75));
}

TEST(RecurrentMixer, Mamba2NamesGroupsThatMakeNoSense) {
  const auto rows = MatrixOf({{1}});
  ExpectProblem(
      RunMixer(Mamba2Layer(), {{"model_type", "mamba2"}, {"n_groups", 0}}, rows, 1, "mamba2"),
      "\"n_groups\" of config.json is no usable number");
  for (const uint64_t groups : {uint64_t{3}, uint64_t{1} << 39}) {
    const auto refused = RunMixer(Mamba2Layer(), {{"model_type", "mamba2"}, {"n_groups", groups}},
                                  rows, 1, "mamba2");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().found, std::to_string(groups));
    EXPECT_EQ(refused.error().expected, "a divisor of 2");
  }
  EXPECT_TRUE(Check(Mamba2Layer(), {{"model_type", "mamba2"}, {"n_groups", 1}}));
  EXPECT_FALSE(Check(Mamba2Layer(), {{"model_type", "mamba2"}, {"n_groups", 2}}));
  // Two groups would need two more channels.
  ExpectProblem(
      RunMixer(Mamba2Layer(), {{"model_type", "mamba2"}, {"n_groups", 2}}, rows, 1, "mamba2"),
      "has another number of channels than the mixer's other parts want",
      "backbone.layers.0.mixer.conv1d.weight");
}

// One key head with two value heads, all of one column: qkvz is q k v v z z, ba is b b a a.
Tensors DeltaLayer() {
  const std::string mixer = "model.layers.0.linear_attn.";
  return {{"model.embed_tokens.weight", {{2, 1}, {1, 1}}},
          {mixer + "A_log", {{2}, {0, std::log(2.0f)}}},
          {mixer + "dt_bias", {{2}, {0.5f, -0.5f}}},
          {mixer + "conv1d.weight", {{4, 1, 1}, {1, 1, 1, 1}}},
          {mixer + "in_proj_qkvz.weight", {{6, 1}, {1, 1, 2, 3, 1, -1}}},
          {mixer + "in_proj_ba.weight", {{4, 1}, {1, 2, 3, 4}}},
          {mixer + "norm.weight", {{1}, {2}}},
          {mixer + "out_proj.weight", {{1, 2}, {1, 10}}}};
}

const Json kDeltaConfig = {
    {"model_type", "qwen3_next"}, {"linear_num_key_heads", 1}, {"rms_norm_eps", 0.01}};

// With keys and queries of one column only their signs are left.
std::vector<double> DeltaByHand(const std::vector<double>& inputs) {
  std::vector<double> outputs;
  double states[2] = {0, 0};
  const double values[2] = {2, 3}, gates[2] = {1, -1}, betas[2] = {1, 2}, alphas[2] = {3, 4},
               biases[2] = {0.5, -0.5}, rates[2] = {1, 2}, out[2] = {1, 10};
  for (const double x : inputs) {
    const double length = std::sqrt(SiluOf(x) * SiluOf(x) + 1e-6);
    const double key = SiluOf(x) / length;
    double sum = 0;
    for (int h = 0; h < 2; ++h) {
      const double decay = std::exp(-rates[h] * SoftplusOf(alphas[h] * x + biases[h]));
      const double correction =
          (SiluOf(values[h] * x) - decay * states[h] * key) * SigmoidOf(betas[h] * x);
      states[h] = decay * states[h] + key * correction;
      const double result = states[h] * key;
      sum += out[h] * 2 * result / std::sqrt(result * result + 0.01) * SiluOf(gates[h] * x);
    }
    outputs.push_back(sum);
  }
  return outputs;
}

TEST(RecurrentMixer, GatedDeltaNetForgetsAndCorrects) {
  ExpectColumn(
      RunMixer(DeltaLayer(), kDeltaConfig, MatrixOf({{1}, {-0.5}, {2}}), 3, "gated delta net"),
      DeltaByHand({1, -0.5, 2}));
}

TEST(RecurrentMixer, GatedDeltaNetReadsThePlainPackingToo) {
  auto tensors = DeltaLayer();
  const std::string mixer = "model.layers.0.linear_attn.";
  tensors.erase(mixer + "in_proj_qkvz.weight");
  tensors.erase(mixer + "in_proj_ba.weight");
  tensors[mixer + "in_proj_qkv.weight"] = {{4, 1}, {1, 1, 2, 3}};
  tensors[mixer + "in_proj_z.weight"] = {{2, 1}, {1, -1}};
  tensors[mixer + "in_proj_b.weight"] = {{2, 1}, {1, 2}};
  tensors[mixer + "in_proj_a.weight"] = {{2, 1}, {3, 4}};
  ExpectColumn(RunMixer(tensors, kDeltaConfig, MatrixOf({{1}, {-0.5}}), 2, "gated delta net"),
               DeltaByHand({1, -0.5}));
}

TEST(RecurrentMixer, GatedDeltaNetNamesHeadsThatMakeNoSense) {
  Json config = kDeltaConfig;
  config.erase("linear_num_key_heads");
  const auto rows = MatrixOf({{1}});
  ExpectProblem(RunMixer(DeltaLayer(), config, rows, 1, "gated delta net"),
                "config.json does not state \"linear_num_key_heads\"");
  config["linear_num_key_heads"] = 3;
  ExpectProblem(RunMixer(DeltaLayer(), config, rows, 1, "gated delta net"),
                "\"linear_num_key_heads\" of config.json does not divide the value heads");
  EXPECT_EQ(Check(DeltaLayer(), config).error().problem,
            "\"linear_num_key_heads\" of config.json does not divide the value heads");
  EXPECT_TRUE(Check(DeltaLayer(), kDeltaConfig));
  config["linear_num_key_heads"] = 2;
  ExpectProblem(RunMixer(DeltaLayer(), config, rows, 1, "gated delta net"),
                "has another number of channels than the mixer's other parts want",
                "model.layers.0.linear_attn.conv1d.weight");
}

TEST(RecurrentMixer, LightningSlopesHalveFromHeadToHeadAndShrinkWithDepth) {
  const auto first = LightningSlopes(8, 0, 5);
  ASSERT_EQ(first.size(), 8u);
  EXPECT_NEAR(first[0], 0.5, 1e-4);
  EXPECT_NEAR(first[7], 1 / 256.0, 1e-4);
  EXPECT_NEAR(LightningSlopes(8, 2, 5)[0], 0.25, 1e-4);
  EXPECT_NEAR(LightningSlopes(8, 4, 5)[0], 0, 1e-4);
}

// Two heads of one column: qkv_proj is q k v q k v.
Tensors LightningLayer() {
  const std::string mixer = "model.layers.0.self_attn.";
  return {{"model.embed_tokens.weight", {{2, 1}, {1, 1}}},
          {mixer + "qkv_proj.weight", {{6, 1}, {1, 2, 3, -1, 1, 2}}},
          {mixer + "output_gate.weight", {{2, 1}, {1, -1}}},
          {mixer + "norm.weight", {{2}, {1, 3}}},
          {mixer + "out_proj.weight", {{1, 2}, {1, 10}}}};
}

const Json kLightningConfig = {
    {"model_type", "minimax"}, {"num_attention_heads", 2}, {"num_hidden_layers", 4}};

TEST(RecurrentMixer, LightningAttentionDecaysHeadByHead) {
  std::vector<double> expected;
  double states[2] = {0, 0};
  const double q[2] = {1, -1}, k[2] = {2, 1}, v[2] = {3, 2}, gates[2] = {1, -1}, gains[2] = {1, 3},
               out[2] = {1, 10};
  const double slopes[2] = {(1 + 1e-5) / 16, (1 + 1e-5) / 256};
  for (const double x : {1.0, -0.5, 2.0}) {
    double o[2];
    for (int h = 0; h < 2; ++h) {
      states[h] = std::exp(-slopes[h]) * states[h] + SiluOf(k[h] * x) * SiluOf(v[h] * x);
      o[h] = states[h] * SiluOf(q[h] * x);
    }
    const double root = std::sqrt((o[0] * o[0] + o[1] * o[1]) / 2 + 1e-6);
    double sum = 0;
    for (int h = 0; h < 2; ++h) sum += out[h] * gains[h] * o[h] / root * SigmoidOf(gates[h] * x);
    expected.push_back(sum);
  }
  ExpectColumn(RunMixer(LightningLayer(), kLightningConfig, MatrixOf({{1}, {-0.5}, {2}}), 3,
                        "lightning attention"),
               expected);
}

TEST(RecurrentMixer, LightningAttentionNamesHeadsThatMakeNoSense) {
  Json config = kLightningConfig;
  config["num_attention_heads"] = 3;
  ExpectProblem(RunMixer(LightningLayer(), config, MatrixOf({{1}}), 1, "lightning attention"),
                "\"num_attention_heads\" of config.json does not fit the inputs of out_proj");
  EXPECT_FALSE(Check(LightningLayer(), config));
  EXPECT_TRUE(Check(LightningLayer(), kLightningConfig));
  config.erase("num_attention_heads");
  ExpectProblem(RunMixer(LightningLayer(), config, MatrixOf({{1}}), 1, "lightning attention"),
                "config.json does not state \"num_attention_heads\"");
}

Tensors RwkvLayer() {
  const std::string block = "rwkv.blocks.0.";
  return {{"rwkv.embeddings.weight", {{2, 1}, {1, 1}}},
          {block + "attention.time_decay", {{1}, {0.5f}}},
          {block + "attention.time_first", {{1}, {0.25f}}},
          {block + "attention.time_mix_key", {{1, 1, 1}, {0.75f}}},
          {block + "attention.time_mix_value", {{1, 1, 1}, {0.5f}}},
          {block + "attention.time_mix_receptance", {{1, 1, 1}, {1}}},
          {block + "attention.key.weight", {{1, 1}, {2}}},
          {block + "attention.value.weight", {{1, 1}, {3}}},
          {block + "attention.receptance.weight", {{1, 1}, {0.5f}}},
          {block + "attention.output.weight", {{1, 1}, {4}}},
          {block + "feed_forward.time_mix_key", {{1, 1, 1}, {0.25f}}},
          {block + "feed_forward.time_mix_receptance", {{1, 1, 1}, {0.5f}}},
          {block + "feed_forward.key.weight", {{2, 1}, {2, -2}}},
          {block + "feed_forward.receptance.weight", {{1, 1}, {1}}},
          {block + "feed_forward.value.weight", {{1, 2}, {1, 10}}}};
}

const Json kRwkvConfig = {{"model_type", "rwkv"}};

TEST(RecurrentMixer, RwkvAveragesTheValuesSoFar) {
  std::vector<double> expected;
  double weighted = 0, weights = 0, before = 0;
  for (const double x : {1.0, -0.5, 2.0}) {
    const double key = 2 * (0.75 * x + 0.25 * before);
    const double value = 3 * (0.5 * x + 0.5 * before);
    const double mean =
        (weighted + std::exp(key + 0.25) * value) / (weights + std::exp(key + 0.25));
    expected.push_back(4 * SigmoidOf(0.5 * x) * mean);
    const double decay = std::exp(-std::exp(0.5));
    weighted = decay * weighted + std::exp(key) * value;
    weights = decay * weights + std::exp(key);
    before = x;
  }
  ExpectColumn(RunMixer(RwkvLayer(), kRwkvConfig, MatrixOf({{1}, {-0.5}, {2}}), 3, "rwkv"),
               expected);
}

TEST(RecurrentMixer, RwkvSurvivesKeysWhoseExponentialsOverflow) {
  auto tensors = RwkvLayer();
  tensors["rwkv.blocks.0.attention.key.weight"] = {{1, 1}, {4000}};
  const auto result = RunMixer(tensors, kRwkvConfig, MatrixOf({{1}, {-0.5}, {2}}), 3, "rwkv");
  // Each time the larger key takes all of the mean.
  ExpectColumn(result, {4 * SigmoidOf(0.5) * 1.5, 4 * SigmoidOf(-0.25) * 1.5,
                        4 * SigmoidOf(1) * 3 * (0.5 * 2 - 0.25)});
}

TEST(RecurrentMixer, RwkvMixesChannels) {
  const TestLayer layer(RwkvLayer(), kRwkvConfig);
  const auto parts = layer.parts();
  const RecurrentMixer* mixer = FindRecurrentFeedForward(parts);
  ASSERT_NE(mixer, nullptr);
  std::vector<double> expected;
  double before = 0;
  for (const double x : {1.0, -0.5, 2.0}) {
    const double mixed = 0.25 * x + 0.75 * before;
    const double up = std::max(2 * mixed, 0.0), down = std::max(-2 * mixed, 0.0);
    expected.push_back(SigmoidOf(0.5 * x + 0.5 * before) * (up * up + 10 * down * down));
    before = x;
  }
  ExpectColumn(mixer->run(parts, layer.config(), MatrixOf({{1}, {-0.5}, {2}}), 3), expected);
}

TEST(RecurrentMixer, RwkvHalvesTheStream) {
  Tensors tensors;
  for (const auto& [name, tensor] : RwkvLayer()) {
    tensors[name] = tensor;
    if (!name.starts_with("rwkv.blocks.0.")) continue;
    tensors["rwkv.blocks.1." + name.substr(14)] = tensor;
  }
  // The second layer's mixing is linear in the stream, its feed-forward adds nothing.
  const std::string second = "rwkv.blocks.1.";
  tensors[second + "attention.key.weight"] = {{1, 1}, {0}};
  tensors[second + "attention.receptance.weight"] = {{1, 1}, {0}};
  tensors[second + "feed_forward.key.weight"] = {{2, 1}, {0, 0}};
  const auto hidden = [&](int period) {
    const auto network = Network::Build(ModelOf(
        tensors, {{"model_type", "rwkv"}, {"rescale_every", period}, {"num_hidden_layers", 2}}));
    EXPECT_TRUE(network) << DescribeError(network.error());
    auto result = RunForward(**network, std::vector<uint32_t>{0, 1});
    EXPECT_TRUE(result) << DescribeError(result.error());
    result->hidden.back() = result->last_stream;
    return result->hidden;
  };
  const auto plain = hidden(0);
  const auto often = hidden(1);
  const auto late = hidden(2);
  for (size_t t = 0; t < 2; ++t) {
    const float first = plain[1].Row(t)[0];
    const float added = plain[2].Row(t)[0] - first;
    EXPECT_FLOAT_EQ(late[1].Row(t)[0], first);
    EXPECT_FLOAT_EQ(late[2].Row(t)[0], (first + added) / 2);
    EXPECT_FLOAT_EQ(often[1].Row(t)[0], first / 2);
    // The layer reads half, adds half of what it makes of that, and halves the sum.
    EXPECT_FLOAT_EQ(often[2].Row(t)[0], (first / 2 + added / 2 / 2) / 2);
  }
}

TEST(RecurrentMixer, RwkvSaysWhatIsMissing) {
  auto tensors = RwkvLayer();
  tensors.erase("rwkv.blocks.0.attention.output.weight");
  ExpectProblem(RunMixer(tensors, kRwkvConfig, MatrixOf({{1}}), 1, "rwkv"),
                "layer 0 lacks a part of its mixer");
}

TEST(RecurrentMixer, ShortConvolutionGatesBothSides) {
  const std::string mixer = "model.layers.0.conv.";
  const Tensors tensors = {{"model.embed_tokens.weight", {{2, 1}, {1, 1}}},
                           {mixer + "in_proj.weight", {{3, 1}, {2, 3, 5}}},
                           {mixer + "conv.weight", {{1, 1, 2}, {10, 1}}},
                           {mixer + "out_proj.weight", {{1, 1}, {7}}}};
  // B x is 10 x^2; of the second row: 10 from the first and itself.
  ExpectColumn(
      RunMixer(tensors, {{"model_type", "lfm2"}}, MatrixOf({{1}, {2}}), 2, "short convolution"),
      {7 * 3 * 10, 7 * 6 * (10 * 10 + 40)});
}

// Two columns in one block; the second is never fed.
Tensors GriffinLayer() {
  const std::string mixer = "model.layers.0.temporal_block.";
  return {{"model.embed_tokens.weight", {{2, 1}, {1, 1}}},
          {mixer + "linear_x.weight", {{2, 1}, {2, 0}}},
          {mixer + "linear_x.bias", {{2}, {0.5f, 0}}},
          {mixer + "linear_y.weight", {{2, 1}, {1, 1}}},
          {mixer + "linear_out.weight", {{1, 2}, {3, 100}}},
          {mixer + "conv_1d.weight", {{2, 1, 2}, {0.5f, 1, 0, 0}}},
          {mixer + "rg_lru.recurrent_param", {{2}, {-3, 0}}},
          {mixer + "rg_lru.input_gate_weight", {{1, 2, 2}, {0.5f, 0, 0, 0}}},
          {mixer + "rg_lru.input_gate_bias", {{1, 2}, {0.25f, 0}}},
          {mixer + "rg_lru.recurrent_gate_weight", {{1, 2, 2}, {-0.5f, 0, 0, 0}}},
          {mixer + "rg_lru.recurrent_gate_bias", {{1, 2}, {0.75f, 0}}}};
}

TEST(RecurrentMixer, GatedLinearRecurrenceForgetsAsItsGateSays) {
  const Json config = {{"model_type", "recurrent_gemma"}, {"hidden_activation", "relu"}};
  std::vector<double> expected;
  double state = 0;
  double before = 0;
  for (const double x : {1.0, 0.5, 2.0}) {
    const double own = 2 * x + 0.5;
    const double u = own + 0.5 * before;
    const double a = std::exp(-8 * SigmoidOf(-0.5 * u + 0.75) * SoftplusOf(-3));
    const double gated = u * SigmoidOf(0.5 * u + 0.25);
    state = expected.empty() ? gated : a * state + std::sqrt(1 - a * a) * gated;
    expected.push_back(3 * state * x);
    before = own;
  }
  ExpectColumn(
      RunMixer(GriffinLayer(), config, MatrixOf({{1}, {0.5}, {2}}), 3, "gated linear recurrence"),
      expected);
}

TEST(RecurrentMixer, GatedLinearRecurrenceNamesBlocksThatDoNotFit) {
  auto tensors = GriffinLayer();
  const std::string name = "model.layers.0.temporal_block.rg_lru.input_gate_weight";
  tensors[name] = {{2, 2, 2}, std::vector<float>(8, 1)};
  ExpectProblem(RunMixer(tensors, {{"model_type", "recurrent_gemma"}}, MatrixOf({{1}}), 1,
                         "gated linear recurrence"),
                "is not made of square blocks", name);
}

TEST(RecurrentMixer, OneWithFurtherWeightsIsNone) {
  auto tensors = MambaLayer();
  tensors["backbone.layers.0.mixer.dt_norm_weight"] = {{1}, {1}};
  const TestLayer layer(tensors, kMambaConfig);
  EXPECT_EQ(FindRecurrentMixer(layer.parts()), nullptr);
}

TEST(RecurrentMixer, AttentionIsNone) {
  const std::string block = "model.layers.0.self_attn.";
  const TestLayer layer({{"model.embed_tokens.weight", {{2, 1}, {1, 1}}},
                         {block + "q_proj.weight", {{1, 1}, {1}}},
                         {block + "k_proj.weight", {{1, 1}, {1}}},
                         {block + "v_proj.weight", {{1, 1}, {1}}},
                         {block + "o_proj.weight", {{1, 1}, {1}}}},
                        {{"model_type", "llama"}});
  EXPECT_EQ(FindRecurrentMixer(layer.parts()), nullptr);
  EXPECT_EQ(FindRecurrentFeedForward(layer.parts()), nullptr);
}

}  // namespace
}  // namespace tensorguard::internal
