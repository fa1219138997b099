#include "independence/units/mixer_units.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "independence/independence.h"
#include "tests/support/random_models.h"
#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kHidden = 16;
constexpr uint64_t kChannels = 32;
constexpr uint64_t kLayers = 2;

TensorValues Drawn(std::vector<uint64_t> shape, uint64_t seed) {
  TensorValues tensor{.shape = std::move(shape), .values = {}};
  const arma::fmat numbers = NormalMatrix(ElementCount(tensor.shape).value(), 1, seed);
  tensor.values.assign(numbers.begin(), numbers.end());
  return tensor;
}

std::shared_ptr<const Network> MambaNetwork(uint64_t seed) {
  uint64_t part = 100 * seed;
  std::map<std::string, TensorValues> tensors = {
      {"backbone.embeddings.weight", Drawn({40, kHidden}, ++part)},
      {"backbone.norm_f.weight", Drawn({kHidden}, ++part)}};
  for (uint64_t layer = 0; layer < kLayers; ++layer) {
    const std::string name = "backbone.layers." + std::to_string(layer) + ".";
    tensors[name + "norm.weight"] = Drawn({kHidden}, ++part);
    tensors[name + "mixer.in_proj.weight"] = Drawn({2 * kChannels, kHidden}, ++part);
    tensors[name + "mixer.conv1d.weight"] = Drawn({kChannels, 1, 4}, ++part);
    tensors[name + "mixer.conv1d.bias"] = Drawn({kChannels}, ++part);
    tensors[name + "mixer.x_proj.weight"] = Drawn({1 + 2 * 8, kChannels}, ++part);
    tensors[name + "mixer.dt_proj.weight"] = Drawn({kChannels, 1}, ++part);
    tensors[name + "mixer.dt_proj.bias"] = Drawn({kChannels}, ++part);
    tensors[name + "mixer.A_log"] = Drawn({kChannels, 8}, ++part);
    tensors[name + "mixer.D"] = Drawn({kChannels}, ++part);
    tensors[name + "mixer.out_proj.weight"] = Drawn({kHidden, kChannels}, ++part);
  }
  const Json config = {{"model_type", "mamba"}, {"hidden_size", kHidden}, {"state_size", 8}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

TEST(MixerBlock, ReadsTheTwoHalvesOfTheInputProjection) {
  const auto network = MambaNetwork(1);
  const auto block = MixerBlock(*network, 1);
  ASSERT_TRUE(block);
  EXPECT_TRUE(block->is_mixer);
  EXPECT_EQ(block->units(), kChannels);
  const auto gate = ReadWeight(network->source(), *block->gate);
  const auto up = ReadWeight(network->source(), block->up);
  ASSERT_TRUE(gate && up);
  Weight whole = block->up;
  whole.rows = 2 * kChannels;
  whole.runs = {{.first = 0, .count = 2 * kChannels}};
  const auto both = ReadWeight(network->source(), whole);
  ASSERT_TRUE(both);
  for (uint64_t i = 0; i < kHidden; ++i) {
    EXPECT_EQ(gate->Row(5)[i], both->Row(5)[i]);
    EXPECT_EQ(up->Row(5)[i], both->Row(kChannels + 5)[i]);
  }
}

TEST(TestIndependence, TestsStateSpaceMixers) {
  const auto network = MambaNetwork(2);
  const auto copy = TestIndependence(*network, *network, {});
  const auto other = TestIndependence(*network, *MambaNetwork(3), {});
  ASSERT_TRUE(copy && other);
  ASSERT_TRUE(copy->log10_p && other->log10_p);
  EXPECT_LT(*copy->log10_p, -12.0);
  EXPECT_GT(*other->log10_p, -3.0);
}

}  // namespace
}  // namespace tensorguard::internal
