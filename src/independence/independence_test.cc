#include "independence/independence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "independence/combined_parts.h"
#include "independence/deep_verdict.h"
#include "tests/support/unit_networks.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

TEST(TestIndependence, FindsNoDependenceBetweenRandomNetworks) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Shape shape{.layers = 2 + seed % 2, .gated = seed % 2 == 0};
    const DeepTest test =
        Tested(*RandomNetwork(shape, seed), *RandomNetwork(shape, 100 + seed), AllTokens());
    ASSERT_TRUE(test.log10_p);
    EXPECT_GT(*test.log10_p, -3.0) << seed;
    EXPECT_EQ(test.parts.size(), kPartNames.size());
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

// Feed-forwards drawn anew; with what else the disguise has.
Tensors WithNewFeedForwards(Tensors tensors, uint64_t seed) {
  for (auto& [name, tensor] : tensors) {
    if (name.find(".mlp.") != std::string::npos) tensor = Normal(tensor.shape, ++seed);
  }
  return tensors;
}

TEST(TestIndependence, AttentionTellsWhereFeedForwardsAreNew) {
  const Shape shape;
  const auto original = RandomNetwork(shape, 21);
  Tensors renewed = WithNewFeedForwards(LlamaTensors(shape, 21), 70000);
  const DeepTest as_it_stands = Tested(*original, *BuildLlama(renewed), AllTokens());
  EXPECT_LT(*as_it_stands.log10_p, -12.0);
  EXPECT_TRUE(FindingOf(as_it_stands).matched_same_basis);
  RotateResidualStream(&renewed, shape.layers);
  AddNoise(&renewed, 0.05f);
  const DeepTest rotated = Tested(*original, *BuildLlama(renewed), AllTokens());
  EXPECT_LT(*rotated.log10_p, -12.0);
  EXPECT_FALSE(FindingOf(rotated).SameBasis());
  EXPECT_TRUE(FindingOf(rotated).matched_other_basis);
}

// Neighbours of an unrelated network exchanged wherever that brings them nearer.
void OrderNeighboursAs(const Tensors& target, Tensors* tensors, uint64_t layers) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    const std::string gate = LlamaName(layer, "mlp.gate_proj");
    const arma::fmat cosines = arma::normalise(Transposed(target.at(gate))).t() *
                               arma::normalise(Transposed(tensors->at(gate)));
    arma::uvec order = arma::regspace<arma::uvec>(0, cosines.n_cols - 1);
    for (arma::uword i = 0; i + 1 < order.n_elem; i += 2) {
      const float in_place = cosines(i, i) + cosines(i + 1, i + 1);
      if (in_place < cosines(i, i + 1) + cosines(i + 1, i)) std::swap(order[i], order[i + 1]);
    }
    OrderUnits(tensors, layer, order);
  }
}

TEST(TestIndependence, OrderedNeighboursAreNoOrigin) {
  const Shape shape{.layers = 4, .hidden = 32, .units = 128};
  const Tensors target = LlamaTensors(shape, 31);
  Tensors forged = LlamaTensors(shape, 32);
  OrderNeighboursAs(target, &forged, shape.layers);
  const DeepTest test = Tested(*BuildLlama(target), *BuildLlama(forged), AllTokens());
  EXPECT_LT(*test.parts[0].log10_p, -6.0) << "the order by itself";
  EXPECT_GE(*test.log10_p, -3.0);
  EXPECT_TRUE(test.parts[2].log10_p) << "the other parts are asked all the same";
  const TestFinding finding = FindingOf(test);
  EXPECT_TRUE(finding.ordered);
  EXPECT_FALSE(finding.AnyOrigin());
  EXPECT_LT(finding.contrast, 0.2);
}

TEST(TestIndependence, ASharedStartIsMoreThanAnOrder) {
  const Shape shape{.layers = 4, .hidden = 64, .units = 128};
  Tensors one = LlamaTensors(shape, 33);
  Tensors other = one;
  AddNoise(&one, 1.4f);
  uint64_t seed = 90000;
  for (auto& [name, tensor] : other) {
    if (tensor.shape.size() != 2) continue;
    const TensorValues noise = Normal(tensor.shape, ++seed);
    for (size_t i = 0; i < noise.values.size(); ++i) tensor.values[i] += 1.4f * noise.values[i];
  }
  const DeepTest test = Tested(*BuildLlama(one), *BuildLlama(other));
  const TestFinding finding = FindingOf(test);
  EXPECT_TRUE(finding.same_positions);
  EXPECT_LT(*test.log10_p, -12.0);
  EXPECT_NEAR(finding.contrast, 0.34, 0.05);
  Comparison comparison;
  comparison.verdict = Verdict::kIndependent;
  EXPECT_EQ(JudgeWithTest(comparison, test).verdict, Verdict::kSharedInitialisation);
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
  for (auto& [name, tensor] : zero) {
    if (name.find("self_attn") != std::string::npos) {
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

TEST(TestIndependence, AsksAttentionAloneOfASingleUnit) {
  const Shape shape{.units = 1};
  const DeepTest test = Tested(*RandomNetwork(shape, 15), *RandomNetwork(shape, 16), AllTokens());
  EXPECT_THAT(test.parts[0].reason, HasSubstr("no two layers have hidden units"));
  ASSERT_TRUE(test.log10_p);
  EXPECT_EQ(*test.log10_p, 0.0);
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
}  // namespace tensorguard::internal
