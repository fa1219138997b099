// Kernels see what a network computes and nothing of the basis it is written in: a disguised copy
// has the logits and the kernels of the original, another network has not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "network/forward.h"
#include "network/network.h"
#include "profile/response_kernels.h"
#include "tests/support/disguised_models.h"

namespace tensorguard::internal {
namespace {

struct Behaviour {
  FloatMatrix logits;
  std::vector<LayerResponse> layers;
};

Behaviour BehaviourOf(const TestNetwork& test) {
  const Model model = ModelOf(test.tensors, test.config);
  const auto network = Network::Build(model);
  if (!network) {
    ADD_FAILURE() << DescribeError(network.error());
    return {};
  }
  const std::vector<uint32_t> text = {5, 17, 3, 44, 0, 21};
  auto run = RunForward(**network, text);
  EXPECT_TRUE(run) << DescribeError(run.error());
  std::vector<uint32_t> tokens(40);
  std::iota(tokens.begin(), tokens.end(), 7u);
  const auto rows = ReadAnchorRows(**network, tokens);
  EXPECT_TRUE(rows) << DescribeError(rows.error());
  if (!run || !rows) return {};
  Behaviour behaviour = {.logits = std::move(run->logits), .layers = {}};
  for (size_t layer = 0; layer < test.layers; ++layer) {
    auto response = RespondLayer(**network, layer, *rows);
    EXPECT_TRUE(response) << DescribeError(response.error());
    if (response) behaviour.layers.push_back(*std::move(response));
  }
  return behaviour;
}

// Largest difference, in parts of the largest number.
double Difference(const FloatMatrix& a, const FloatMatrix& b) {
  EXPECT_EQ(a.rows(), b.rows());
  EXPECT_EQ(a.columns(), b.columns());
  EXPECT_FALSE(a.values().empty());
  if (a.values().size() != b.values().size()) return 1;
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < a.values().size(); ++i) {
    largest = std::max<double>(largest, std::abs(a.values()[i]));
    difference = std::max<double>(difference, std::abs(a.values()[i] - b.values()[i]));
  }
  EXPECT_GT(largest, 0);
  return difference / largest;
}

constexpr double kFloatError = 1e-4;

void ExpectSame(const Behaviour& a, const Behaviour& b) {
  EXPECT_LT(Difference(a.logits, b.logits), kFloatError);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_LT(Difference(a.layers[i].query_key, b.layers[i].query_key), kFloatError);
    EXPECT_LT(Difference(a.layers[i].output_value, b.layers[i].output_value), kFloatError);
    EXPECT_LT(Difference(a.layers[i].feed_forward, b.layers[i].feed_forward), kFloatError);
    ASSERT_EQ(a.layers[i].experts.size(), b.layers[i].experts.size());
    for (size_t k = 0; k < a.layers[i].experts.size(); ++k) {
      EXPECT_LT(Difference(a.layers[i].experts[k], b.layers[i].experts[k]), kFloatError);
    }
  }
}

class Invariance : public ::testing::TestWithParam<size_t> {
 protected:
  // The network is changed, and changed so that every weight that `change` is about is another.
  void ExpectUnchangedBy(const std::function<void(TestNetwork&)>& change) {
    const TestNetwork original = TestNetworks().at(GetParam());
    TestNetwork disguised = original;
    change(disguised);
    size_t changed = 0;
    for (const auto& [name, tensor] : original.tensors) {
      changed += tensor.values != disguised.tensors.at(name).values ? 1 : 0;
    }
    EXPECT_GE(changed, 3u);
    ExpectSame(BehaviourOf(original), BehaviourOf(disguised));
  }
};

TEST_P(Invariance, PermutedStream) { ExpectUnchangedBy(PermuteStream); }
TEST_P(Invariance, PermutedHeads) { ExpectUnchangedBy(PermuteHeads); }
TEST_P(Invariance, PermutedHiddenUnits) { ExpectUnchangedBy(PermuteHiddenUnits); }
TEST_P(Invariance, MovedScales) { ExpectUnchangedBy(MoveScales); }

TEST_P(Invariance, MovedGains) {
  ExpectUnchangedBy([](TestNetwork& network) {
    MoveGains(network, [](float, size_t i) { return 1.5f + RandomUnit(17, i); });
  });
}

TEST_P(Invariance, RotatedStream) {
  // LayerNorm takes out the mean over the stream's own axes.
  if (TestNetworks().at(GetParam()).layer_norm) return;
  ExpectUnchangedBy(RotateStream);
}

TEST_P(Invariance, AllAtOnce) {
  ExpectUnchangedBy([](TestNetwork& network) {
    MoveScales(network);
    PermuteHeads(network);
    PermuteHiddenUnits(network);
    if (!network.layer_norm) RotateStream(network);
    PermuteStream(network);
  });
}

TEST_P(Invariance, DoesNotHoldForOtherWeights) {
  const TestNetwork original = TestNetworks().at(GetParam());
  TestNetwork other = original;
  ForEachTensor(other, [](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (role.role == Role::kKey || role.role == Role::kValue || role.role == Role::kDown) {
      std::reverse(tensor.values.begin(), tensor.values.end());
    }
  });
  const Behaviour a = BehaviourOf(original);
  const Behaviour b = BehaviourOf(other);
  EXPECT_GT(Difference(a.logits, b.logits), 0.1);
  for (size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_GT(Difference(a.layers[i].query_key, b.layers[i].query_key), 0.1);
    EXPECT_GT(Difference(a.layers[i].output_value, b.layers[i].output_value), 0.1);
    EXPECT_GT(Difference(a.layers[i].feed_forward, b.layers[i].feed_forward), 0.1);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Invariance, ::testing::Range(size_t{0}, TestNetworks().size()),
                         [](const auto& test) {
                           const TestNetwork network = TestNetworks().at(test.param);
                           const bool tied = network.tensors.count("lm_head.weight") == 0;
                           return network.name + (tied ? "_tied" : "");
                         });

TEST(ExpertKernels, MoveWithTheirExpert) {
  TestNetwork original = TestNetworks().at(4);
  ASSERT_EQ(original.name, "mixtral");
  TestNetwork swapped = original;
  for (const char* matrix : {"w1", "w2", "w3"}) {
    const std::string prefix = "model.layers.0.block_sparse_moe.experts.";
    std::swap(swapped.tensors.at(prefix + "0." + matrix + ".weight"),
              swapped.tensors.at(prefix + "2." + matrix + ".weight"));
  }
  TakeRows(swapped.tensors.at("model.layers.0.block_sparse_moe.gate.weight"), {2, 1, 0});
  const Behaviour a = BehaviourOf(original);
  const Behaviour b = BehaviourOf(swapped);
  EXPECT_LT(Difference(a.logits, b.logits), kFloatError);
  const auto& experts = a.layers.at(0).experts;
  const auto& others = b.layers.at(0).experts;
  ASSERT_EQ(experts.size(), 3u);
  EXPECT_EQ(experts[0].rows(), kExpertAnchors);
  EXPECT_LT(Difference(experts[0], others[2]), kFloatError);
  EXPECT_LT(Difference(experts[1], others[1]), kFloatError);
  EXPECT_GT(Difference(experts[0], others[0]), 0.1);
  EXPECT_LT(Difference(a.layers[0].feed_forward, b.layers[0].feed_forward), kFloatError);
}

}  // namespace
}  // namespace tensorguard::internal
