// The forms in the weights' own frame see nothing of the basis that a network is written in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "frame/frame_comparison.h"
#include "network/network.h"
#include "profile/frame/frame.h"
#include "tests/support/disguised_models.h"

namespace tensorguard::internal {
namespace {

FrameForms FormsOf(const TestNetwork& test, bool plainly = false, unsigned threads = 0) {
  const Model model = ModelOf(test.tensors, test.config);
  const auto network = Network::Build(model);
  EXPECT_TRUE(network) << DescribeError(network.error());
  auto forms = plainly ? ComputeFrameFormsPlainly(**network)
                       : ComputeFrameForms(**network, {.threads = threads});
  EXPECT_TRUE(forms) << DescribeError(forms.error());
  return forms ? *std::move(forms) : FrameForms();
}

// The rows that directions are found from are rounded to bfloat16, and those of random numbers have
// no leading directions: what is rounded turns the axes.
constexpr double kRounding = 0.03;

// Axes have no sign: magnitudes are compared. In parts of the form's norm, which is 1.
double Difference(const FloatMatrix& a, const FloatMatrix& b) {
  EXPECT_EQ(a.rows(), b.rows());
  if (a.rows() != b.rows()) return 1;
  double difference = 0;
  for (size_t i = 0; i < a.values().size(); ++i) {
    difference =
        std::max<double>(difference, std::abs(std::abs(a.values()[i]) - std::abs(b.values()[i])));
  }
  return difference;
}

void ExpectSame(const FrameForms& a, const FrameForms& b) {
  EXPECT_EQ(a.axes, kFrameAxes);
  EXPECT_EQ(b.axes, kFrameAxes);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  EXPECT_FALSE(a.layers.empty());
  for (size_t layer = 0; layer < a.layers.size(); ++layer) {
    for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
      EXPECT_LT(Difference(a.layers[layer].forms[kind], b.layers[layer].forms[kind]), kRounding)
          << "layer " << layer << ", kind " << kind;
    }
  }
}

class FrameInvariance : public ::testing::TestWithParam<size_t> {
 protected:
  TestNetwork Original() const { return TestNetworks().at(GetParam()); }

  void ExpectUnchangedBy(const std::function<void(TestNetwork&)>& change) const {
    TestNetwork disguised = Original();
    change(disguised);
    ExpectSame(FormsOf(Original()), FormsOf(disguised));
  }
};

TEST_P(FrameInvariance, PermutedStream) { ExpectUnchangedBy(PermuteStream); }
TEST_P(FrameInvariance, PermutedHeads) { ExpectUnchangedBy(PermuteHeads); }
TEST_P(FrameInvariance, PermutedHiddenUnits) { ExpectUnchangedBy(PermuteHiddenUnits); }
TEST_P(FrameInvariance, MovedScales) { ExpectUnchangedBy(MoveScales); }

TEST_P(FrameInvariance, MovedGains) {
  ExpectUnchangedBy([](TestNetwork& network) {
    MoveGains(network, [](float, size_t i) { return 1.5f + RandomUnit(17, i); });
  });
}

TEST_P(FrameInvariance, RotatedStream) {
  // LayerNorm takes out the mean over the stream's own axes.
  if (Original().layer_norm) return;
  ExpectUnchangedBy(RotateStream);
}

TEST_P(FrameInvariance, AgreesWithPlainLoops) {
  ExpectSame(FormsOf(Original()), FormsOf(Original(), true));
}

TEST_P(FrameInvariance, SameBytesForAnyThreads) {
  const FrameForms one = FormsOf(Original(), false, 1);
  const FrameForms four = FormsOf(Original(), false, 4);
  ASSERT_EQ(one.layers.size(), four.layers.size());
  for (size_t layer = 0; layer < one.layers.size(); ++layer) {
    for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
      EXPECT_TRUE(std::ranges::equal(one.layers[layer].forms[kind].values(),
                                     four.layers[layer].forms[kind].values()));
    }
  }
}

TEST_P(FrameInvariance, DoesNotHoldForOtherWeights) {
  TestNetwork other = Original();
  ForEachTensor(other, [](const auto&, const TensorRole& role, TensorValues& tensor) {
    if (ReadsStream(role)) std::reverse(tensor.values.begin(), tensor.values.end());
  });
  const FrameForms a = FormsOf(Original());
  const FrameForms b = FormsOf(other);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  EXPECT_GT(Difference(a.layers[0].forms[0], b.layers[0].forms[0]), 2 * kRounding);
}

INSTANTIATE_TEST_SUITE_P(Networks, FrameInvariance,
                         ::testing::Range(size_t{0}, TestNetworks().size()), [](const auto& test) {
                           const TestNetwork network = TestNetworks().at(test.param);
                           const bool tied = network.tensors.count("lm_head.weight") == 0;
                           return network.name + (tied ? "_tied" : "");
                         });

TEST(FrameForms, OfNumbersThatAreNotFiniteAreAnError) {
  TestNetwork network = TestNetworks().at(0);
  for (auto& [name, tensor] : network.tensors) {
    if (name.find("down_proj.weight") != std::string::npos) tensor.values[7] = NAN;
  }
  const Model model = ModelOf(network.tensors, network.config);
  const auto built = Network::Build(model);
  ASSERT_TRUE(built);
  const auto forms = ComputeFrameForms(**built);
  ASSERT_FALSE(forms);
  EXPECT_EQ(forms.error().kind, ErrorKind::kBadFile);
  EXPECT_NE(forms.error().tensor.find("down_proj"), std::string::npos);
}

TEST(FrameForms, OfZerosAreNone) {
  TestNetwork network = TestNetworks().at(0);
  for (auto& [name, tensor] : network.tensors) {
    std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
  }
  EXPECT_EQ(FormsOf(network).axes, 0u);
}

}  // namespace
}  // namespace tensorguard::internal
