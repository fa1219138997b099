#include "deep_test/independence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>

#include "deep_test/test_units.h"
#include "network/test_models.h"

namespace tensorguard {
namespace {

using testing::HasSubstr;

using Tensors = std::map<std::string, TensorValues>;

struct Shape {
  uint64_t layers = 3;
  uint64_t hidden = 24;
  uint64_t units = 64;
  bool gated = true;  // Llama's layout, else GPT-2's
};

constexpr uint64_t kVocabulary = 80;

TensorValues Normal(std::vector<uint64_t> shape, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  TensorValues tensor{.shape = std::move(shape), .values = {}};
  tensor.values.resize(ElementCount(tensor.shape).value());
  for (float& value : tensor.values) value = 0.1f * normal(generator);
  return tensor;
}

TensorValues Gain(uint64_t width, uint64_t seed) {
  TensorValues gain = Normal({width}, seed);
  for (float& value : gain.values) value += 1.0f;
  return gain;
}

std::string LlamaName(uint64_t layer, const std::string& part) {
  return "model.layers." + std::to_string(layer) + "." + part + ".weight";
}

Tensors LlamaTensors(const Shape& shape, uint64_t seed) {
  uint64_t part = seed * 1000;
  const uint64_t width = shape.hidden;
  Tensors tensors = {{"model.embed_tokens.weight", Normal({kVocabulary, width}, ++part)},
                     {"lm_head.weight", Normal({kVocabulary, width}, ++part)},
                     {"model.norm.weight", Gain(width, ++part)}};
  for (uint64_t layer = 0; layer < shape.layers; ++layer) {
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      tensors[LlamaName(layer, std::string("self_attn.") + projection)] =
          Normal({width, width}, ++part);
    }
    tensors[LlamaName(layer, "mlp.gate_proj")] = Normal({shape.units, width}, ++part);
    tensors[LlamaName(layer, "mlp.up_proj")] = Normal({shape.units, width}, ++part);
    tensors[LlamaName(layer, "mlp.down_proj")] = Normal({width, shape.units}, ++part);
    tensors[LlamaName(layer, "input_layernorm")] = Gain(width, ++part);
    tensors[LlamaName(layer, "post_attention_layernorm")] = Gain(width, ++part);
  }
  return tensors;
}

Tensors Gpt2Tensors(const Shape& shape, uint64_t seed) {
  uint64_t part = seed * 1000;
  const uint64_t width = shape.hidden;
  Tensors tensors = {{"wte.weight", Normal({kVocabulary, width}, ++part)},
                     {"wpe.weight", Normal({16, width}, ++part)},
                     {"ln_f.weight", Gain(width, ++part)},
                     {"ln_f.bias", Normal({width}, ++part)}};
  for (uint64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string name = "h." + std::to_string(layer) + ".";
    tensors[name + "attn.c_attn.weight"] = Normal({width, 3 * width}, ++part);
    tensors[name + "attn.c_attn.bias"] = Normal({3 * width}, ++part);
    tensors[name + "attn.c_proj.weight"] = Normal({width, width}, ++part);
    tensors[name + "attn.c_proj.bias"] = Normal({width}, ++part);
    tensors[name + "mlp.c_fc.weight"] = Normal({width, shape.units}, ++part);
    tensors[name + "mlp.c_fc.bias"] = Normal({shape.units}, ++part);
    tensors[name + "mlp.c_proj.weight"] = Normal({shape.units, width}, ++part);
    tensors[name + "mlp.c_proj.bias"] = Normal({width}, ++part);
    for (const char* norm : {"ln_1", "ln_2"}) {
      tensors[name + norm + ".weight"] = Gain(width, ++part);
      tensors[name + norm + ".bias"] = Normal({width}, ++part);
    }
  }
  return tensors;
}

std::shared_ptr<const Network> BuildLlama(const Tensors& tensors) {
  const TensorValues& first = tensors.at(LlamaName(0, "mlp.up_proj"));
  const auto heads = 4;
  const Json config = {{"model_type", "llama"},         {"architectures", {"LlamaForCausalLM"}},
                       {"hidden_size", first.shape[1]}, {"intermediate_size", first.shape[0]},
                       {"num_attention_heads", heads},  {"num_key_value_heads", heads},
                       {"rms_norm_eps", 1e-6},          {"vocab_size", kVocabulary}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

std::shared_ptr<const Network> BuildGpt2(const Tensors& tensors) {
  const Json config = {{"model_type", "gpt2"},
                       {"architectures", {"GPT2LMHeadModel"}},
                       {"n_embd", tensors.at("wte.weight").shape[1]},
                       {"n_head", 4},
                       {"n_positions", 16},
                       {"vocab_size", kVocabulary}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

std::shared_ptr<const Network> RandomNetwork(const Shape& shape, uint64_t seed) {
  return shape.gated ? BuildLlama(LlamaTensors(shape, seed)) : BuildGpt2(Gpt2Tensors(shape, seed));
}

std::vector<TokenPair> AllTokens() { return TokensWithEqualId(kVocabulary, kVocabulary); }

DeepTest Tested(const Network& a, const Network& b, const std::vector<TokenPair>& tokens = {}) {
  auto test = TestIndependence(a, b, tokens, {.threads = 2});
  EXPECT_TRUE(test) << (test ? "" : DescribeError(test.error()));
  return *test;
}

// A row-major matrix as Armadillo sees it: transposed.
arma::fmat Transposed(const TensorValues& tensor) {
  return arma::fmat(tensor.values.data(), tensor.shape[1], tensor.shape[0]);
}

TensorValues FromTransposed(const arma::fmat& matrix) {
  return {.shape = {matrix.n_cols, matrix.n_rows},
          .values = std::vector<float>(matrix.begin(), matrix.end())};
}

// The hidden units of every layer in another order.
void ShuffleUnits(Tensors* tensors, uint64_t layers) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    TensorValues& down = tensors->at(LlamaName(layer, "mlp.down_proj"));
    const arma::uvec order = ShuffledUnits(static_cast<uint32_t>(down.shape[1]), 50 + layer);
    down = FromTransposed(arma::fmat(Transposed(down).rows(order)));
    for (const char* part : {"mlp.gate_proj", "mlp.up_proj"}) {
      TensorValues& tensor = tensors->at(LlamaName(layer, part));
      tensor = FromTransposed(arma::fmat(Transposed(tensor).cols(order)));
    }
  }
}

// Gains moved into the matrices behind them, then the residual stream rotated.
void RotateResidualStream(Tensors* tensors, uint64_t layers) {
  const arma::uword width = tensors->at("model.norm.weight").shape[0];
  const arma::fmat rotation = RandomRotation(width, 77);
  const auto read = [&](const std::string& name, const std::string& norm) {
    TensorValues& tensor = tensors->at(name);
    arma::fmat columns = Transposed(tensor);
    if (!norm.empty()) columns.each_col() %= arma::fvec(tensors->at(norm).values);
    tensor = FromTransposed(rotation * columns);
  };
  const auto write = [&](const std::string& name) {
    TensorValues& tensor = tensors->at(name);
    tensor = FromTransposed(Transposed(tensor) * rotation.t());
  };
  read("model.embed_tokens.weight", "");
  read("lm_head.weight", "model.norm.weight");
  for (uint64_t layer = 0; layer < layers; ++layer) {
    for (const char* part : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}) {
      read(LlamaName(layer, part), LlamaName(layer, "input_layernorm"));
    }
    write(LlamaName(layer, "self_attn.o_proj"));
    for (const char* part : {"mlp.gate_proj", "mlp.up_proj"}) {
      read(LlamaName(layer, part), LlamaName(layer, "post_attention_layernorm"));
    }
    write(LlamaName(layer, "mlp.down_proj"));
    for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) {
      auto& gain = tensors->at(LlamaName(layer, norm)).values;
      std::fill(gain.begin(), gain.end(), 1.0f);
    }
  }
  auto& gain = tensors->at("model.norm.weight").values;
  std::fill(gain.begin(), gain.end(), 1.0f);
}

// Scale, and where it can the sign, moved from down to up, unit by unit.
void RescaleUnits(Tensors* tensors, uint64_t layers) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    TensorValues& up = tensors->at(LlamaName(layer, "mlp.up_proj"));
    TensorValues& down = tensors->at(LlamaName(layer, "mlp.down_proj"));
    const uint64_t units = up.shape[0];
    for (uint64_t unit = 0; unit < units; ++unit) {
      const float factor =
          std::pow(10.0f, static_cast<float>(unit % 13) - 6.0f) * (unit % 3 == 0 ? -1.0f : 1.0f);
      for (uint64_t i = 0; i < up.shape[1]; ++i) up.values[unit * up.shape[1] + i] *= factor;
      for (uint64_t i = 0; i < down.shape[0]; ++i) down.values[i * units + unit] /= factor;
    }
  }
}

void AddNoise(Tensors* tensors, float fraction) {
  uint64_t seed = 9000;
  for (auto& [name, tensor] : *tensors) {
    if (tensor.shape.size() != 2) continue;
    const TensorValues noise = Normal(tensor.shape, ++seed);
    for (size_t i = 0; i < noise.values.size(); ++i) tensor.values[i] += fraction * noise.values[i];
  }
}

TEST(TestIndependence, FindsNoDependenceBetweenRandomNetworks) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Shape shape{.layers = 2 + seed % 2, .gated = seed % 2 == 0};
    const DeepTest test =
        Tested(*RandomNetwork(shape, seed), *RandomNetwork(shape, 100 + seed), AllTokens());
    ASSERT_TRUE(test.log10_p);
    EXPECT_GT(*test.log10_p, -3.0) << seed;
    EXPECT_EQ(test.parts.size(), 4u);
  }
}

TEST(TestIndependence, ComparesNetworksOfDifferentShapes) {
  const auto wide = RandomNetwork({.layers = 2, .hidden = 32, .units = 96}, 1);
  const auto narrow = RandomNetwork({.layers = 4, .hidden = 24, .units = 50}, 2);
  const auto plain = RandomNetwork({.layers = 3, .hidden = 16, .units = 70, .gated = false}, 3);
  for (const auto& test : {Tested(*wide, *narrow, AllTokens()), Tested(*wide, *plain),
                           Tested(*plain, *narrow, AllTokens())}) {
    ASSERT_TRUE(test.log10_p);
    EXPECT_GT(*test.log10_p, -3.0);
    EXPECT_EQ(test.parts[1].reason, "the hidden widths differ");
  }
}

TEST(TestIndependence, SeesACopyThroughNoise) {
  const Shape shape;
  Tensors tuned = LlamaTensors(shape, 4);
  AddNoise(&tuned, 0.3f);
  const DeepTest test = Tested(*RandomNetwork(shape, 4), *BuildLlama(tuned));
  EXPECT_LT(*test.log10_p, -12.0);
  EXPECT_EQ(*test.p_value, std::max(kSmallestPValue, std::pow(10.0, *test.log10_p)));
  EXPECT_LT(*test.parts[0].log10_p, -12.0) << "same positions";
  EXPECT_LT(*test.parts[1].log10_p, -12.0) << "same coordinates";
}

struct Disguise {
  const char* name;
  bool shuffled;
  bool rotated;
  bool rescaled;
  float noise;
  bool with_tokens;
};

class DisguiseTest : public testing::TestWithParam<Disguise> {};

TEST_P(DisguiseTest, IsSeenThrough) {
  const Shape shape;
  Tensors tensors = LlamaTensors(shape, 5);
  if (GetParam().noise > 0.0f) AddNoise(&tensors, GetParam().noise);
  if (GetParam().shuffled) ShuffleUnits(&tensors, shape.layers);
  if (GetParam().rotated) RotateResidualStream(&tensors, shape.layers);
  if (GetParam().rescaled) RescaleUnits(&tensors, shape.layers);
  const DeepTest test = Tested(*RandomNetwork(shape, 5), *BuildLlama(tensors),
                               GetParam().with_tokens ? AllTokens() : std::vector<TokenPair>());
  EXPECT_LT(*test.log10_p, -12.0);
}

INSTANTIATE_TEST_SUITE_P(
    Disguises, DisguiseTest,
    testing::Values(Disguise{"shuffled", true, false, false, 0.0f, false},
                    Disguise{"rescaled", false, false, true, 0.0f, false},
                    Disguise{"rotated", false, true, false, 0.0f, true},
                    Disguise{"all", true, true, true, 0.0f, true},
                    Disguise{"all_and_noise", true, true, true, 0.2f, true},
                    Disguise{"all_without_tokens", true, true, true, 0.0f, false},
                    Disguise{"all_and_noise_without_tokens", true, true, true, 0.1f, false}),
    [](const auto& disguise) { return std::string(disguise.param.name); });

// Layer 1 of 4 dropped.
TEST(TestIndependence, FindsTheLayersThatPruningLeft) {
  Tensors pruned;
  for (const auto& [name, tensor] : LlamaTensors({.layers = 4}, 6)) {
    if (name.find(".layers.1.") != std::string::npos) continue;
    std::string renamed = name;
    for (const char digit : {'2', '3'}) {
      const size_t place = name.find(std::string(".layers.") + digit + ".");
      if (place != std::string::npos) renamed[place + 8] = static_cast<char>(digit - 1);
    }
    pruned[renamed] = tensor;
  }
  const DeepTest test = Tested(*RandomNetwork({.layers = 4}, 6), *BuildLlama(pruned));
  EXPECT_LT(*test.log10_p, -12.0);
  ASSERT_EQ(test.parts[0].layers.size(), 3u);
  EXPECT_EQ(test.parts[0].layers[1].layer_a, 2u);
  EXPECT_EQ(test.parts[0].layers[1].layer_b, 1u);
}

TEST(TestIndependence, IsTheSameInReverseAndForAnyThreads) {
  const auto a = RandomNetwork({.layers = 3}, 7);
  const auto b = RandomNetwork({.layers = 2, .units = 60}, 8);
  const DeepTest one = *TestIndependence(*a, *b, AllTokens(), {.threads = 1});
  const DeepTest four = *TestIndependence(*a, *b, AllTokens(), {.threads = 4});
  const DeepTest reverse = *TestIndependence(*b, *a, AllTokens(), {.threads = 1});
  ASSERT_EQ(one.parts.size(), reverse.parts.size());
  for (size_t part = 0; part < one.parts.size(); ++part) {
    EXPECT_EQ(one.parts[part].log10_p, four.parts[part].log10_p) << one.parts[part].name;
    EXPECT_EQ(one.parts[part].log10_p, reverse.parts[part].log10_p) << one.parts[part].name;
    ASSERT_EQ(one.parts[part].layers.size(), reverse.parts[part].layers.size());
    for (size_t i = 0; i < one.parts[part].layers.size(); ++i) {
      EXPECT_EQ(one.parts[part].layers[i].layer_a, reverse.parts[part].layers[i].layer_b);
      EXPECT_EQ(one.parts[part].layers[i].effect, reverse.parts[part].layers[i].effect);
    }
  }
}

TEST(TestIndependence, NamesTheTensorThatIsNotFinite) {
  Tensors broken = LlamaTensors({}, 9);
  broken.at(LlamaName(1, "mlp.down_proj")).values[5] = std::numeric_limits<float>::quiet_NaN();
  const auto test =
      TestIndependence(*RandomNetwork({}, 9), *BuildLlama(broken), {}, {.threads = 2});
  ASSERT_FALSE(test);
  EXPECT_EQ(test.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(test.error().tensor, LlamaName(1, "mlp.down_proj"));
}

TEST(TestIndependence, HasNoPValueForZeroWeights) {
  Tensors zero = LlamaTensors({}, 10);
  for (auto& [name, tensor] : zero) {
    if (name.find("mlp") != std::string::npos) {
      std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
    }
  }
  const DeepTest test = Tested(*RandomNetwork({}, 10), *BuildLlama(zero), AllTokens());
  EXPECT_FALSE(test.log10_p);
  EXPECT_FALSE(test.p_value);
  for (const DeepTestPart& part : test.parts) EXPECT_FALSE(part.reason.empty()) << part.name;
}

TEST(TestIndependence, TestsASingleLayerAndSaysWhatItCannot) {
  const Shape shape{.layers = 1};
  const DeepTest test = Tested(*RandomNetwork(shape, 11), *RandomNetwork(shape, 12), AllTokens());
  ASSERT_TRUE(test.log10_p);
  EXPECT_GT(*test.log10_p, -3.0);
  EXPECT_THAT(test.parts[3].reason, HasSubstr("needs two layers"));
  EXPECT_LT(*Tested(*RandomNetwork(shape, 11), *RandomNetwork(shape, 11)).log10_p, -12.0);
}

TEST(TestIndependence, HasNoPValueForASingleUnit) {
  const Shape shape{.units = 1};
  const DeepTest test = Tested(*RandomNetwork(shape, 15), *RandomNetwork(shape, 16), AllTokens());
  EXPECT_FALSE(test.log10_p);
  EXPECT_THAT(test.parts[0].reason, HasSubstr("no two layers have hidden units"));
}

TEST(TestIndependence, ReportsProgressToTheEnd) {
  Progress last;
  uint64_t calls = 0;
  const auto network = RandomNetwork({}, 13);
  const auto other = RandomNetwork({}, 14);
  ASSERT_TRUE(TestIndependence(*network, *other, AllTokens(),
                               {.threads = 1, .on_progress = [&](const Progress& progress) {
                                  EXPECT_GE(progress.bytes_done, last.bytes_done);
                                  EXPECT_LE(progress.bytes_done, progress.bytes_total);
                                  last = progress;
                                  ++calls;
                                }}));
  EXPECT_GT(calls, 4u);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
}

}  // namespace
}  // namespace tensorguard
