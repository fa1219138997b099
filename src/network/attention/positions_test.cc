#include "network/attention/positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "architecture/table/architecture_table.h"

namespace tensorguard::internal {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

// Press et al. 2022: 8 heads from 1/2 to 1/256.
TEST(AlibiSlopes, HalveFromHeadToHead) {
  EXPECT_THAT(
      AlibiSlopes(8),
      Pointwise(FloatNear(1e-7f), std::vector<float>{1.f / 2, 1.f / 4, 1.f / 8, 1.f / 16, 1.f / 32,
                                                     1.f / 64, 1.f / 128, 1.f / 256}));
}

TEST(AlibiSlopes, FillUpFromTheNextPower) {
  const std::vector<float> slopes = AlibiSlopes(3);
  EXPECT_THAT(slopes,
              Pointwise(FloatNear(1e-7f), std::vector<float>{1.f / 16, 1.f / 256, 1.f / 4}));
}

// 32 buckets up to 128, as in T5.
TEST(RelativeBucket, IsExactNearAndLogarithmicFar) {
  EXPECT_EQ(RelativeBucket(0, true, 32, 128), 0u);
  EXPECT_EQ(RelativeBucket(1, true, 32, 128), 17u);
  EXPECT_EQ(RelativeBucket(-1, true, 32, 128), 1u);
  EXPECT_EQ(RelativeBucket(-8, true, 32, 128), 8u);
  EXPECT_EQ(RelativeBucket(-1000, true, 32, 128), 15u);
  EXPECT_EQ(RelativeBucket(1000, true, 32, 128), 31u);
  EXPECT_EQ(RelativeBucket(3, false, 32, 128), 0u);
  EXPECT_EQ(RelativeBucket(-15, false, 32, 128), 15u);
  EXPECT_EQ(RelativeBucket(-1000, false, 32, 128), 31u);
}

TEST(SinusoidalPositions, StartWithSinesAndEndWithCosines) {
  const FloatMatrix table = SinusoidalPositions(2, 4, 1);
  EXPECT_NEAR(table.Row(0)[0], std::sin(1.0), 1e-6);
  EXPECT_NEAR(table.Row(0)[1], std::sin(1e-4), 1e-6);
  EXPECT_NEAR(table.Row(1)[2], std::cos(2.0), 1e-6);
  EXPECT_NEAR(table.Row(1)[3], std::cos(2e-4), 1e-6);
}

TEST(ReadPositionScheme, GuessesNothing) {
  EXPECT_EQ(ReadPositionScheme(ConfigView(Json::object()), GenericTraits()),
            PositionScheme::kUnknown);
  const Json rotary = Json::parse(R"({"rope_theta": 1e4})");
  EXPECT_EQ(ReadPositionScheme(ConfigView(rotary), GenericTraits()), PositionScheme::kRotary);
  const Json disentangled = Json::parse(R"({"relative_attention": true})");
  EXPECT_EQ(ReadPositionScheme(ConfigView(disentangled), *FindComputingRow("deberta-v2")->computes),
            PositionScheme::kUnknown);
}

}  // namespace
}  // namespace tensorguard::internal
