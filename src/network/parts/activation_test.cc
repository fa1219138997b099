#include "network/parts/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tensorguard::internal {
namespace {

// Values at 1 from the functions' definitions, to seven digits.
TEST(Activation, GivesTheDefinedValues) {
  EXPECT_NEAR(Activate(Activation::kSilu, 1), 0.7310586, 1e-6);
  EXPECT_NEAR(Activate(Activation::kGelu, 1), 0.8413447, 1e-6);
  EXPECT_NEAR(Activate(Activation::kGeluTanh, 1), 0.8411920, 1e-6);
  EXPECT_NEAR(Activate(Activation::kQuickGelu, 1), 0.8457958, 1e-6);
  EXPECT_EQ(Activate(Activation::kRelu, -2), 0);
  EXPECT_EQ(Activate(Activation::kSquaredRelu, 3), 9);
  EXPECT_EQ(Activate(Activation::kSquaredRelu, -3), 0);
  EXPECT_NEAR(Activate(Activation::kTanh, 1), 0.7615942, 1e-6);
  EXPECT_EQ(Activate(Activation::kSigmoid, 0), 0.5f);
  EXPECT_EQ(Activate(Activation::kIdentity, -7), -7);
  EXPECT_NEAR(Activate(Activation::kSoftplus, 1), 1.3132617, 1e-6);
  EXPECT_NEAR(Activate(Activation::kSoftplus, 1000), 1000, 1e-3);
}

TEST(Activation, StaysFiniteFarOut) {
  for (const Activation activation :
       {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kQuickGelu}) {
    EXPECT_NEAR(Activate(activation, -1e4f), 0, 1e-6);
    EXPECT_NEAR(Activate(activation, 1e4f), 1e4, 1e-2);
  }
}

TEST(ParseActivation, KnowsTheNamesOfConfigs) {
  EXPECT_EQ(ParseActivation("silu"), Activation::kSilu);
  EXPECT_EQ(ParseActivation("swish"), Activation::kSilu);
  EXPECT_EQ(ParseActivation("gelu"), Activation::kGelu);
  EXPECT_EQ(ParseActivation("gelu_new"), Activation::kGeluTanh);
  EXPECT_EQ(ParseActivation("gelu_pytorch_tanh"), Activation::kGeluTanh);
  EXPECT_EQ(ParseActivation("relu2"), Activation::kSquaredRelu);
}

TEST(ParseActivation, SaysNothingOfOthers) {
  EXPECT_FALSE(ParseActivation(""));
  EXPECT_FALSE(ParseActivation("xielu"));
  EXPECT_FALSE(ParseActivation("SiLU "));
}

TEST(Activation, OfASpanIsThatOfEachElement) {
  std::vector<float> values = {-1, 0, 2};
  Activate(Activation::kRelu, values);
  EXPECT_EQ(values, std::vector<float>({0, 0, 2}));
}

}  // namespace
}  // namespace tensorguard::internal
