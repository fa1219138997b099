// The functions of a network's parts against its forward pass, on every architecture of the shared
// material: for one token a layer is what they say, put together.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "model/model.h"
#include "network/forward.h"
#include "network/network.h"
#include "network/network_parts.h"
#include "tests/support/real_architectures.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

constexpr float kTolerance = 1e-5f;  // of the largest magnitude

float Largest(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

void ExpectNear(std::span<const float> found, std::span<const float> expected) {
  ASSERT_EQ(found.size(), expected.size());
  const float tolerance = kTolerance * std::max(Largest(expected), 1e-3f);
  for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], tolerance);
}

class RealNetwork : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::filesystem::path folder = SharedData("real/architectures") / GetParam();
    SKIP_WITHOUT(folder);
    auto model = OpenModel(folder);
    ASSERT_TRUE(model) << DescribeError(model.error());
    model_ = *std::move(model);
    auto network = Network::Build(model_);
    ASSERT_TRUE(network) << DescribeError(network.error());
    network_ = *std::move(network);
  }

  // The number in the description of a layer of the stack that writes the logits.
  size_t PlaceOf(size_t layer) const {
    const auto& stacks = network_->parts().stacks;
    return (stacks.size() > 1 ? stacks.front().layers.size() : 0) + layer;
  }

  Model model_;
  std::shared_ptr<const Network> network_;
};

FloatMatrix Sum(const FloatMatrix& stream, float factor, const FloatMatrix& added) {
  FloatMatrix sum = stream;
  for (size_t i = 0; i < sum.values().size(); ++i) {
    sum.values()[i] = sum.values()[i] * factor + added.values()[i];
  }
  return sum;
}

// What the layer makes of one token, by the public functions; only the norms on sums and in front
// are taken from the parts. Routed experts and cross-attention have no such function.
void CheckLayer(const Network& network, const Layer& layer, size_t place, const FloatMatrix& before,
                const FloatMatrix& after) {
  if (layer.mixture || layer.cross_attention) return;
  FloatMatrix stream = before;
  if (layer.description.mixer != MixerKind::kNone) {
    const auto input = ApplyIfAny(layer.norms.mixer_input, before);
    ASSERT_TRUE(input);
    if (layer.norms.mixer_input) {
      const auto same = network.MixerInput(place, before);
      ASSERT_TRUE(same);
      ExpectNear(same->values(), input->values());
    }
    const auto added = network.MixerOutput(place, *input);
    ASSERT_TRUE(added) << DescribeError(added.error());
    const FloatMatrix& base = layer.residual_after_norm ? *input : before;
    const auto sum =
        ApplyIfAny(layer.norms.mixer_sum, Sum(base, layer.mixer_factors.stream, *added));
    ASSERT_TRUE(sum);
    stream = *sum;
  }
  if (layer.description.has_feed_forward) {
    const FloatMatrix& read = layer.parallel ? before : stream;
    const auto input = layer.norms.feed_forward_input || layer.parallel
                           ? network.FeedForwardInput(place, read)
                           : Result<FloatMatrix>(read);
    ASSERT_TRUE(input);
    const auto added = network.FeedForwardOutput(place, *input);
    ASSERT_TRUE(added) << DescribeError(added.error());
    const FloatMatrix& base = layer.residual_after_norm ? *input : stream;
    const auto sum = ApplyIfAny(layer.norms.feed_forward_sum,
                                Sum(base, layer.feed_forward_factors.stream, *added));
    ASSERT_TRUE(sum);
    stream = *sum;
  }
  ExpectNear(stream.values(), after.values());
}

TEST_P(RealNetwork, PartsMakeUpTheLayersOfOneToken) {
  const std::vector<uint32_t> ids = {23};
  const auto result = RunForward(*network_, ids, ids);
  ASSERT_TRUE(result) << DescribeError(result.error());
  const Stack& stack = network_->parts().stacks.back();
  for (size_t run = 0; run < stack.order.size(); ++run) {
    const size_t layer = stack.order[run];
    const bool last = run + 1 == stack.order.size();
    const FloatMatrix& after = last ? result->last_stream : result->hidden[run + 1];
    SCOPED_TRACE(run);
    CheckLayer(*network_, stack.layers[layer], PlaceOf(layer), result->hidden[run], after);
  }
}

// logits(p) - logits(q) = h . (x(p) - x(q)) for normalised states x: biases of norm and head fall
// out.
TEST_P(RealNetwork, OutputRowsReadTheLogits) {
  const NetworkParts& parts = network_->parts();
  const auto& closing = parts.stacks.back().final_norm;
  if (!parts.head || parts.head->transform || !closing || parts.head->softcap) {
    GTEST_SKIP() << "the logits are not linear in a normalised state that is at hand";
  }
  const auto result =
      RunForward(*network_, std::vector<uint32_t>{5, 42, 99}, std::vector<uint32_t>{5, 42, 99});
  ASSERT_TRUE(result);
  FloatMatrix states = result->last_stream;
  Normalise(closing->kind, closing->epsilon, 0, states);
  const std::vector<uint32_t> ids = {0, 3, 77, 159};
  const auto rows = network_->OutputRows(ids);
  ASSERT_TRUE(rows);
  const float tolerance = kTolerance * 10 * Largest(result->logits.values());
  for (size_t i = 0; i < ids.size(); ++i) {
    double found = 0;
    for (size_t j = 0; j < rows->columns(); ++j) {
      found += rows->Row(i)[j] * (states.Row(1)[j] - states.Row(2)[j]);
    }
    EXPECT_NEAR(found, result->logits.Row(1)[ids[i]] - result->logits.Row(2)[ids[i]], tolerance);
  }
}

TEST_P(RealNetwork, GivesAllResponsesOfEveryLayer) {
  const std::vector<uint32_t> ids = {1, 2, 150};
  const auto rows = network_->InputRows(ids);
  ASSERT_TRUE(rows);
  const auto& layers = network_->description().layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    ASSERT_NE(layers[i].mixer, MixerKind::kNone);
    const auto inputs = network_->MixerInput(i, *rows);
    ASSERT_TRUE(inputs);
    const auto output = network_->MixerOutput(i, *inputs);
    ASSERT_TRUE(output) << DescribeError(output.error());
    EXPECT_EQ(output->rows(), ids.size());
    EXPECT_EQ(output->columns(), network_->description().hidden_size);
    if (layers[i].mixer == MixerKind::kAttention) {
      const auto both = network_->QueriesAndKeysOf(i, *inputs);
      ASSERT_TRUE(both && both->has_value());
      EXPECT_EQ((*both)->queries.columns(), (*both)->keys.columns());
    }
    for (uint32_t expert = 0; expert < layers[i].experts; ++expert) {
      EXPECT_TRUE(network_->ExpertOutput(i, expert, *network_->FeedForwardInput(i, *rows)));
    }
    EXPECT_EQ(layers[i].has_feed_forward, !GetParam().starts_with("mamba"));
  }
}

// Without config.json a network is still read, less what only that tells.
TEST_P(RealNetwork, StandsWithoutConfig) {
  Model bare = model_;
  bare.config = Json();
  bare.architecture = Understand(Json(), bare.weights->tensors());
  const auto network = Network::Build(bare);
  ASSERT_TRUE(network) << DescribeError(network.error());
  EXPECT_FALSE((*network)->description().assumed.empty());
  const std::vector<uint32_t> ids = {1, 2, 150};
  const auto rows = (*network)->InputRows(ids);
  ASSERT_TRUE(rows);
  const auto& layers = (*network)->description().layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].has_feed_forward) continue;
    const auto output = (*network)->FeedForwardOutput(i, *(*network)->FeedForwardInput(i, *rows));
    EXPECT_TRUE(output) << DescribeError(output.error());
  }
}

INSTANTIATE_TEST_SUITE_P(All, RealNetwork, ::testing::ValuesIn(kRealArchitectures),
                         [](const auto& parameter) { return TestNameOf(parameter.param); });

// Architectures that names, shapes and the numbers of config.json tell completely.
class UnknownType : public ::testing::TestWithParam<std::string> {};

TEST_P(UnknownType, GivesTheSameLogitsUnderAnotherName) {
  const std::filesystem::path folder = SharedData("real/architectures") / GetParam();
  SKIP_WITHOUT(folder);
  auto model = OpenModel(folder);
  ASSERT_TRUE(model);
  const auto known = Network::Build(*model);
  ASSERT_TRUE(known);
  model->config["model_type"] = "unheard_of";
  model->config.erase("architectures");
  model->architecture = Understand(model->config, model->weights->tensors());
  const auto unknown = Network::Build(*model);
  ASSERT_TRUE(unknown) << DescribeError(unknown.error());
  EXPECT_EQ((*unknown)->description().architecture, "generic");
  const std::vector<uint32_t> ids = {1, 5, 17, 42};
  const auto expected = RunForward(**known, ids);
  const auto found = RunForward(**unknown, ids);
  ASSERT_TRUE(expected);
  ASSERT_TRUE(found) << DescribeError(found.error());
  ExpectNear(found->logits.values(), expected->logits.values());
}

INSTANTIATE_TEST_SUITE_P(LikeLlama, UnknownType,
                         ::testing::Values("llama", "llama-tied", "mistral", "qwen2", "qwen3",
                                           "olmo2", "granite", "smollm3", "phi3"),
                         [](const auto& parameter) { return TestNameOf(parameter.param); });

}  // namespace
}  // namespace tensorguard::internal
