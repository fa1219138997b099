#include "numerics/encode_floats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "weights/elements/element_types.h"

namespace tensorguard::internal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float Decoded(DType dtype, uint16_t bits) {
  const std::array<std::byte, 2> bytes = {static_cast<std::byte>(bits & 0xFF),
                                          static_cast<std::byte>(bits >> 8)};
  float value = 0;
  DecodeToFloat32(dtype, bytes, std::span(&value, 1));
  return value;
}

uint16_t Encoded(DType dtype, float value) {
  return dtype == DType::kF16 ? ToFloat16Bits(value) : ToBfloat16Bits(value);
}

// The bits of every non-negative finite number of the type: consecutive, and their values ascend.
uint16_t LargestFinite(DType dtype) { return dtype == DType::kF16 ? 0x7BFF : 0x7F7F; }

// Rounding by definition: the nearer neighbour, of two equally near ones the even one. Exact in
// double. One step past the largest stands for infinity.
uint16_t NearestByDefinition(DType dtype, float value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  const uint16_t largest = LargestFinite(dtype);
  uint16_t low = 0;
  for (uint16_t step = 0x4000; step > 0; step /= 2) {
    const auto next = static_cast<uint16_t>(low + step);
    if (next <= largest && Decoded(dtype, next) <= magnitude) low = next;
  }
  const double below = Decoded(dtype, low);
  const double above = low == largest ? 2 * below - Decoded(dtype, static_cast<uint16_t>(low - 1))
                                      : Decoded(dtype, static_cast<uint16_t>(low + 1));
  const bool up = magnitude - below > above - magnitude ||
                  (magnitude - below == above - magnitude && (low & 1) == 1);
  return static_cast<uint16_t>((low + (up ? 1 : 0)) | (std::signbit(value) ? 0x8000 : 0));
}

class EncodeFloat : public testing::TestWithParam<DType> {};

TEST_P(EncodeFloat, GivesBackEveryNumberOfTheType) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = Decoded(GetParam(), static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Decoded(GetParam(), Encoded(GetParam(), value))));
    } else {
      ASSERT_EQ(Encoded(GetParam(), value), bits);
    }
  }
}

TEST_P(EncodeFloat, RoundsHalfwayToEven) {
  for (uint32_t bits = 0; bits < LargestFinite(GetParam()); ++bits) {
    const double low = Decoded(GetParam(), static_cast<uint16_t>(bits));
    const double high = Decoded(GetParam(), static_cast<uint16_t>(bits + 1));
    const auto halfway = static_cast<float>((low + high) / 2);
    ASSERT_EQ(static_cast<double>(halfway), (low + high) / 2);
    const auto even = static_cast<uint16_t>(bits + (bits & 1));
    ASSERT_EQ(Encoded(GetParam(), halfway), even);
    ASSERT_EQ(Encoded(GetParam(), std::nextafter(halfway, 0.0f)), bits);
    ASSERT_EQ(Encoded(GetParam(), std::nextafter(halfway, kInfinity)), bits + 1);
  }
}

TEST_P(EncodeFloat, AgreesWithTheDefinitionOnAnyBits) {
  std::mt19937 bits(1);
  for (int i = 0; i < 200'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(bits()));
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(Encoded(GetParam(), value), NearestByDefinition(GetParam(), value)) << value;
  }
}

TEST_P(EncodeFloat, KeepsInfinitiesAndNan) {
  EXPECT_EQ(Decoded(GetParam(), Encoded(GetParam(), kInfinity)), kInfinity);
  EXPECT_EQ(Decoded(GetParam(), Encoded(GetParam(), -kInfinity)), -kInfinity);
  // A NaN whose payload lies in the bits that are cut off.
  const float nan = std::bit_cast<float>(0x7F800001u);
  EXPECT_TRUE(std::isnan(Decoded(GetParam(), Encoded(GetParam(), nan))));
}

INSTANTIATE_TEST_SUITE_P(Types, EncodeFloat, testing::Values(DType::kF16, DType::kBF16),
                         [](const auto& type) { return std::string(InfoOf(type.param).name); });

TEST(EncodeFloats, WritesLittleEndianBytes) {
  const std::vector<float> values = {1.0f, -2.0f};
  std::vector<std::byte> bytes(8);
  EXPECT_EQ(EncodeFloats(DType::kF32, values, bytes), std::nullopt);
  EXPECT_EQ(bytes[3], std::byte{0x3F});
  EXPECT_EQ(bytes[2], std::byte{0x80});
  EXPECT_EQ(bytes[7], std::byte{0xC0});
  bytes.resize(4);
  EXPECT_EQ(EncodeFloats(DType::kBF16, values, bytes), std::nullopt);
  EXPECT_EQ(bytes, (std::vector<std::byte>{std::byte{0x80}, std::byte{0x3F}, std::byte{0x00},
                                           std::byte{0xC0}}));
}

TEST(EncodeFloats, TellsWhichNumberDoesNotFit) {
  std::vector<std::byte> bytes(8);
  EXPECT_EQ(EncodeFloats(DType::kF16, std::vector{1.0f, kInfinity, 65519.0f, 65520.0f}, bytes), 3u);
  EXPECT_EQ(EncodeFloats(DType::kBF16, std::vector{1.0f, kInfinity, 65519.0f, 65520.0f}, bytes),
            std::nullopt);
  EXPECT_EQ(EncodeFloats(DType::kBF16,
                         std::vector{1.0f, 2.0f, 3.0f, std::numeric_limits<float>::max()}, bytes),
            3u);
}

}  // namespace
}  // namespace tensorguard::internal
