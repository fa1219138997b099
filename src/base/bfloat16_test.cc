#include "base/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tensorguard::internal {
namespace {

TEST(BFloat16, KeepsItsOwnNumbers) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto value = static_cast<BFloat16>(bits);
    if (std::isnan(ToFloat32(value))) continue;
    EXPECT_EQ(RoundToBFloat16(ToFloat32(value)), value);
  }
}

TEST(BFloat16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(ToFloat32(RoundToBFloat16(1 + 1.0f / 256)), 1);               // a tie, down to even
  EXPECT_EQ(ToFloat32(RoundToBFloat16(1 + 3.0f / 256)), 1 + 2.0f / 128);  // a tie, up to even
  EXPECT_EQ(ToFloat32(RoundToBFloat16(1 + 1.01f / 256)), 1 + 1.0f / 128);
  EXPECT_EQ(ToFloat32(RoundToBFloat16(-1.999f)), -2);
  EXPECT_EQ(ToFloat32(RoundToBFloat16(std::numeric_limits<float>::max())),
            std::numeric_limits<float>::infinity());
}

TEST(BFloat16, KeepsNanNan) {
  for (const uint32_t bits : {0x7f800001u, 0x7fffffffu, 0xffffffffu, 0x7fc00000u}) {
    EXPECT_TRUE(std::isnan(ToFloat32(RoundToBFloat16(std::bit_cast<float>(bits)))));
  }
}

}  // namespace
}  // namespace tensorguard::internal
