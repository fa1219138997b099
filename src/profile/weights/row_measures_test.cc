// Measures of rows: the bits of plain loops, in both types, on every instruction set.
#include "profile/weights/row_measures.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace tensorguard::internal {
namespace {

// Numbers between 2^-21 and 2^10 of either sign, and zeros of either sign.
std::vector<BFloat16> RandomNumbers(size_t count, double zero_share) {
  std::vector<BFloat16> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bits = RandomBits(3, i);
    const bool is_zero = static_cast<double>(bits >> 32) < zero_share * 4294967296.0;
    const uint64_t magnitude = is_zero ? 0 : (bits & 0xfff) + (106 << 7);
    numbers[i] = static_cast<BFloat16>(magnitude | (bits & 0x8000));
  }
  return numbers;
}

std::vector<float> Widened(std::span<const BFloat16> numbers) {
  std::vector<float> wide(numbers.size());
  std::transform(numbers.begin(), numbers.end(), wide.begin(),
                 [](BFloat16 value) { return ToFloat32(value); });
  return wide;
}

void OnEveryInstructionSet(const std::function<void()>& check) {
  for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
}

uint64_t BitsOf(double value) { return std::bit_cast<uint64_t>(value); }
uint32_t BitsOf(float value) { return std::bit_cast<uint32_t>(value); }

void ExpectSameBits(const RowMeasures& measures, const RowMeasures& expected) {
  EXPECT_EQ(measures.is_finite, expected.is_finite);
  EXPECT_EQ(BitsOf(measures.sum), BitsOf(expected.sum));
  EXPECT_EQ(BitsOf(measures.squares), BitsOf(expected.squares));
  EXPECT_EQ(BitsOf(measures.least), BitsOf(expected.least));
  EXPECT_EQ(BitsOf(measures.greatest), BitsOf(expected.greatest));
  EXPECT_EQ(measures.zeros, expected.zeros);
  EXPECT_EQ(measures.zero_rows, expected.zero_rows);
  EXPECT_EQ(measures.sparse_fours, expected.sparse_fours);
  EXPECT_EQ(measures.filled_columns, expected.filled_columns);
}

struct Shape {
  size_t rows;
  size_t columns;
};

TEST(MeasureRows, GivesTheBitsOfPlainLoopsInBothTypesOnEveryInstructionSet) {
  for (const auto& [rows, columns] :
       {Shape{1, 1}, Shape{1, 3}, Shape{3, 5}, Shape{7, 33}, Shape{2, 64}, Shape{40, 300},
        Shape{3, 5001}, Shape{500, 1}}) {
    for (const double zero_share : {0.0, 0.01, 0.6, 1.0}) {
      SCOPED_TRACE(::testing::Message() << rows << " x " << columns << ", zeros " << zero_share);
      const auto narrow = RandomNumbers(rows * columns, zero_share);
      const auto wide = Widened(narrow);
      const RowMeasures expected = MeasureRowsPlainly(wide, columns);
      OnEveryInstructionSet([&] {
        ExpectSameBits(MeasureRows(wide, columns), expected);
        ExpectSameBits(MeasureRows(narrow, columns), expected);
      });
    }
  }
}

// Numbers that bfloat16 cannot hold.
TEST(MeasureRows, GivesTheBitsOfPlainLoopsForAnyFloat32) {
  std::vector<float> numbers = Widened(RandomNumbers(9'001, 0.001));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] *= 1 + static_cast<float>(i) * 1e-6f;
  const RowMeasures expected = MeasureRowsPlainly(numbers, 9'001);
  OnEveryInstructionSet([&] { ExpectSameBits(MeasureRows(numbers, 9'001), expected); });
}

TEST(MeasureRows, SquaresTheGreatestAndTheSmallestNumbers) {
  constexpr float kMost = std::numeric_limits<float>::max();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  OnEveryInstructionSet([&] {
    const double of_most = MeasureRows(std::vector<float>(100, kMost), 10).squares;
    EXPECT_EQ(of_most, 100.0 * kMost * kMost);
    const double of_least = MeasureRows(std::vector<float>(100, kLeast), 10).squares;
    EXPECT_EQ(of_least, 100.0 * kLeast * kLeast);
  });
}

TEST(MeasureRows, FindsEveryNumberThatIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
    for (const size_t place : {0, 30, 4'095, 4'096, 6'000}) {
      auto wide = Widened(RandomNumbers(6'001, 0.1));
      wide[place] = bad;
      std::vector<BFloat16> narrow(wide.size());
      std::transform(wide.begin(), wide.end(), narrow.begin(), [](float value) {
        return static_cast<BFloat16>(std::bit_cast<uint32_t>(value) >> 16);
      });
      ASSERT_FALSE(MeasureRowsPlainly(wide, 6'001).is_finite);
      OnEveryInstructionSet([&] {
        EXPECT_FALSE(MeasureRows(wide, 6'001).is_finite) << bad << " at " << place;
        EXPECT_FALSE(MeasureRows(narrow, 6'001).is_finite) << bad << " at " << place;
      });
    }
  }
}

TEST(MeasureRows, CountsByHand) {
  const std::vector<float> rows = {1, 0,  2,     0, 3,  //
                                   0, 0,  -0.0f, 0, 0,  //
                                   4, -9, 5,     6, 7};
  OnEveryInstructionSet([&] {
    const RowMeasures measures = MeasureRows(std::span(rows).first(10), 5);
    EXPECT_EQ(measures.sum, 6);
    EXPECT_EQ(measures.squares, 14);
    EXPECT_EQ(BitsOf(measures.least), 0u);
    EXPECT_EQ(measures.greatest, 3);
    EXPECT_EQ(measures.zeros, 7u);
    EXPECT_EQ(measures.zero_rows, 1u);
    EXPECT_EQ(measures.sparse_fours, 2u);
    EXPECT_EQ(measures.filled_columns, (std::vector<uint8_t>{1, 0, 1, 0, 1}));
    EXPECT_EQ(MeasureRows(rows, 5).least, -9);
    EXPECT_TRUE(MeasureRows(rows, 5).filled_columns.empty());
  });
}

TEST(DistinctInGroups, CountsSampledGroupsInBothTypesOnEveryInstructionSet) {
  constexpr uint64_t kRows = 11;
  constexpr uint64_t kColumns = 600;
  // 16 values, one of them 0 and -0.
  auto narrow = RandomNumbers(kRows * kColumns, 0.1);
  for (BFloat16& value : narrow) {
    value = static_cast<BFloat16>(static_cast<uint16_t>(value) & 0x8700);
  }
  const auto wide = Widened(narrow);
  for (const uint64_t size : {1, 7, 32, 256}) {
    const Groups groups = {size, kColumns};
    const FixedSample sample(kRows * groups.PerRow(), 20);
    uint64_t expected = 0;
    for (uint64_t k = 0; k < sample.size(); ++k) {
      const auto begin =
          wide.begin() + static_cast<std::ptrdiff_t>(groups.FirstElement(sample.Position(k)));
      expected += std::set<float>(begin, begin + static_cast<std::ptrdiff_t>(size)).size();
    }
    OnEveryInstructionSet([&] {
      uint64_t in_wide = 0;
      uint64_t in_narrow = 0;
      for (uint64_t row = 0; row < kRows; row += 4) {
        const uint64_t begin = row * kColumns;
        const uint64_t count = std::min<uint64_t>(4, kRows - row) * kColumns;
        in_wide += DistinctInGroups(sample, groups, row, std::span(wide).subspan(begin, count));
        in_narrow += DistinctInGroups(sample, groups, row, std::span(narrow).subspan(begin, count));
      }
      EXPECT_EQ(in_wide, expected) << size;
      EXPECT_EQ(in_narrow, expected) << size;
    });
  }
}

}  // namespace
}  // namespace tensorguard::internal
