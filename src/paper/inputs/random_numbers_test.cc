#include "paper/inputs/random_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;

// Expected numbers: torch 1.13.1 and numpy 1.24.2 of Debian 12, after torch.manual_seed(0) and
// numpy.random.RandomState(0).

// torch computes sine, cosine and logarithm in float32 with its own approximations.
constexpr float kTolerance = 1e-6f;

TEST(TorchRandom, NormalMatchesTorchInWholeBlocks) {
  TorchRandom random(0);
  const std::vector<float> first = random.Normal(16);
  EXPECT_NEAR(first[0], -1.1258398294448853f, kTolerance);
  EXPECT_NEAR(first[1], -1.152360200881958f, kTolerance);
  EXPECT_NEAR(first[15], -0.2472781538963318f, kTolerance);
  const std::vector<float> second = random.Normal(16);
  EXPECT_NEAR(second[0], -1.3526537418365479f, kTolerance);
  EXPECT_NEAR(second[15], -0.843676745891571f, kTolerance);
  EXPECT_EQ(random.Integer(1000), 363u);
}

TEST(TorchRandom, NormalRedrawsTheLastBlockWhereTheCountIsNoMultipleOf16) {
  TorchRandom random(0);
  const std::vector<float> first = random.Normal(20);
  EXPECT_NEAR(first[0], -1.1258398294448853f, kTolerance);
  EXPECT_NEAR(first[18], 2.0049805641174316f, kTolerance);
  EXPECT_NEAR(first[19], 0.05373690277338028f, kTolerance);
  EXPECT_NEAR(random.Normal(20)[0], 0.4396958351135254f, kTolerance);
  EXPECT_EQ(random.Integer(1000), 110u);
}

TEST(TorchRandom, NormalBelow16DrawsPairsAndKeepsTheSecond) {
  TorchRandom random(0);
  const std::vector<float> first = random.Normal(5);
  EXPECT_NEAR(first[0], 1.5409960746765137f, kTolerance);
  EXPECT_NEAR(first[1], -0.293428897857666f, kTolerance);
  EXPECT_NEAR(first[4], -1.0845223665237427f, kTolerance);
  const std::vector<float> second = random.Normal(5);
  EXPECT_NEAR(second[0], -1.3985954523086548f, kTolerance);
  EXPECT_NEAR(second[4], -0.40334352850914f, kTolerance);
  EXPECT_EQ(random.Integer(1000), 126u);
}

TEST(NumpyRandom, ChoiceMatchesNumpy) {
  NumpyRandom random(0);
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 15; ++i) drawn.push_back(random.Choice(5));
  EXPECT_THAT(drawn, ElementsAre(4, 0, 3, 3, 3, 1, 3, 2, 4, 0, 0, 4, 2, 1, 0));
}

TEST(NumpyRandom, ChoiceWithoutReplacementMatchesNumpyAndGoesOn) {
  NumpyRandom random(0);
  // RandomState(0).choice(range(7, 37), 4, replace=False) is [9 35 20 17].
  EXPECT_THAT(random.ChoiceWithoutReplacement(30, 4), ElementsAre(2, 28, 13, 10));
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 6; ++i) drawn.push_back(random.Choice(5));
  EXPECT_THAT(drawn, ElementsAre(0, 2, 3, 0, 1, 3));
}

TEST(NumpyRandom, ChoiceOfOneDrawsNothing) {
  NumpyRandom random(0);
  EXPECT_EQ(random.Choice(1), 0u);
  EXPECT_EQ(random.Choice(5), 4u);
}

}  // namespace
}  // namespace tensorguard::internal
