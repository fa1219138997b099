#include "base/checked.h"

#include <gtest/gtest.h>

#include <vector>

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMax = UINT64_MAX;
constexpr uint64_t kHalf = uint64_t{1} << 32;

std::optional<uint64_t> Count(const std::vector<uint64_t>& shape) { return ElementCount(shape); }

TEST(Checked, ArithmeticThatFits) {
  EXPECT_EQ(CheckedMultiply(3, 5), 15u);
  EXPECT_EQ(CheckedMultiply(kMax, 1), kMax);
  EXPECT_EQ(CheckedMultiply(kMax, 0), 0u);
  EXPECT_EQ(CheckedMultiply(kHalf, kHalf - 1), kMax - kHalf + 1);
  EXPECT_EQ(CheckedAdd(kMax - 1, 1), kMax);
}

TEST(Checked, ArithmeticThatDoesNot) {
  EXPECT_EQ(CheckedMultiply(kHalf, kHalf), std::nullopt);
  EXPECT_EQ(CheckedMultiply(kMax, 2), std::nullopt);
  EXPECT_EQ(CheckedAdd(kMax, 1), std::nullopt);
  EXPECT_EQ(CheckedAdd(kMax, kMax), std::nullopt);
}

TEST(Checked, ElementCounts) {
  EXPECT_EQ(Count({}), 1u);
  EXPECT_EQ(Count({7}), 7u);
  EXPECT_EQ(Count({2, 3, 4}), 24u);
  EXPECT_EQ(Count({2, 0, 4}), 0u);
  EXPECT_EQ(Count({kMax}), kMax);
  EXPECT_EQ(Count({kMax, 1, 1}), kMax);
}

TEST(Checked, ElementCountsThatDoNotFit) {
  EXPECT_EQ(Count({kHalf, kHalf}), std::nullopt);
  EXPECT_EQ(Count({kMax, 2}), std::nullopt);
  // A zero anywhere does not make the rest sensible.
  EXPECT_EQ(Count({0, kHalf, kHalf}), std::nullopt);
  EXPECT_EQ(Count({kHalf, 0, kHalf}), std::nullopt);
  EXPECT_EQ(Count({kHalf, kHalf, 0}), std::nullopt);
}

}  // namespace
}  // namespace tensorguard::internal
