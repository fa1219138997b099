// The narrow number formats: precise, exact the second time, sane at the ends.
#include "fingerprint/file/stored_numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fingerprint/sketches/probe_numbers.h"

namespace tensorguard::internal {
namespace {

// Rows of numbers of all magnitudes that may be stored; row k is scaled by a power of its own.
std::vector<float> Row(uint64_t seed, size_t count) {
  std::vector<float> row(count);
  const int exponent = static_cast<int>(RandomBits(seed, 0) % 240) - 120;
  for (size_t i = 0; i < count; ++i) {
    const auto bits = static_cast<int64_t>(RandomBits(seed, i + 1)) >> 11;
    row[i] = static_cast<float>(std::ldexp(static_cast<double>(bits), exponent - 52));
  }
  return row;
}

float Largest(const std::vector<float>& row) {
  float largest = 0;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  return largest;
}

TEST(ByteRow, RoundsToAHalfStepAndIsExactTheSecondTime) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const std::vector<float> row = Row(seed, 13);
    const ByteRow stored = ToByteRow(row);
    std::vector<float> once(row.size());
    FromByteRow(stored.scale, stored.bytes, once);
    if (Largest(row) > 1e-29f) {
      for (size_t i = 0; i < row.size(); ++i) {
        ASSERT_NEAR(once[i], row[i], 0.50001 * stored.scale) << seed;
      }
      ASSERT_NEAR(stored.scale, Largest(row) / 127, 1e-4 * stored.scale);
    }
    const ByteRow again = ToByteRow(once);
    ASSERT_EQ(again.scale, stored.scale) << seed;
    ASSERT_EQ(again.bytes, stored.bytes) << seed;
  }
}

TEST(HalfBlock, KeepsElevenBitsAndIsExactTheSecondTime) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const std::vector<float> row = Row(seed, 13);
    const HalfBlock stored = ToHalfBlock(row);
    std::vector<float> once(row.size());
    FromHalfBlock(stored.scale, stored.halves, once);
    if (Largest(row) > 1e-29f) {
      for (size_t i = 0; i < row.size(); ++i) {
        ASSERT_NEAR(once[i], row[i], std::abs(row[i]) * 0x1p-11 + Largest(row) * 1e-9) << seed;
      }
    }
    const HalfBlock again = ToHalfBlock(once);
    ASSERT_EQ(again.scale, stored.scale) << seed;
    ASSERT_EQ(again.halves, stored.halves) << seed;
  }
}

TEST(HalfBlock, AgreesWhereRoundingReachesAPowerOfTwo) {
  for (const float largest : {1.99951171875f, 1.9995118f, 1.9999999f, 2.0f, 1.9990f}) {
    const HalfBlock stored = ToHalfBlock(std::vector{largest, 1e-8f});
    std::vector<float> once(2);
    FromHalfBlock(stored.scale, stored.halves, once);
    EXPECT_EQ(ToHalfBlock(once).halves, stored.halves) << largest;
    EXPECT_EQ(ToHalfBlock(once).scale, stored.scale) << largest;
  }
}

TEST(StoredNumbers, ZerosHaveNoScale) {
  EXPECT_EQ(ToByteRow(std::vector<float>(3)).scale, 0);
  EXPECT_EQ(ToHalfBlock(std::vector<float>(3)).scale, 0);
  EXPECT_EQ(ToByteRow(std::vector{1e-40f, -1e-35f}).scale, 0);
}

TEST(StoredNumbers, LargestNumbersStayFinite) {
  const std::vector<float> row = {1e37f, -1e37f, 3.0f};
  std::vector<float> values(3);
  const ByteRow bytes = ToByteRow(row);
  FromByteRow(bytes.scale, bytes.bytes, values);
  EXPECT_NEAR(values[1] / -1e37f, 1, 1e-4);
  const HalfBlock halves = ToHalfBlock(row);
  FromHalfBlock(halves.scale, halves.halves, values);
  EXPECT_NEAR(values[1] / -1e37f, 1, 1e-3);
}

}  // namespace
}  // namespace tensorguard::internal
