#include "numerics/linear_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/random_bits.h"
#include "base/seeded_order.h"

namespace tensorguard::internal {
namespace {

std::vector<float> RandomCosts(size_t count, uint64_t seed, uint64_t distinct_values) {
  std::vector<float> costs(count);
  for (size_t i = 0; i < count; ++i) {
    costs[i] = static_cast<float>(RandomBits(seed, i) % distinct_values) - 3.0f;
  }
  return costs;
}

bool UsesEachColumnOnce(std::vector<uint32_t> columns) {
  std::sort(columns.begin(), columns.end());
  return std::adjacent_find(columns.begin(), columns.end()) == columns.end();
}

TEST(AssignColumns, IsAsCheapAsTheBestOfAll) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const size_t columns = 1 + seed % 7;
    const size_t rows = 1 + RandomBits(seed, 99) % columns;
    // Few distinct values give many ties.
    const auto values = RandomCosts(rows * columns, seed, seed % 2 == 0 ? 1000 : 3);
    const AssignmentCosts costs{.values = values, .columns = columns};
    const auto assigned = AssignColumns(costs);
    ASSERT_EQ(assigned.size(), rows);
    EXPECT_TRUE(UsesEachColumnOnce(assigned)) << seed;
    EXPECT_DOUBLE_EQ(AssignmentCost(costs, assigned),
                     AssignmentCost(costs, AssignColumnsExhaustively(costs)))
        << seed;
  }
}

TEST(AssignColumns, FindsAHiddenPermutation) {
  constexpr uint32_t kSize = 150;
  const auto hidden = SeededOrder(kSize, 4);
  auto costs = RandomCosts(kSize * kSize, 5, 1000);
  for (uint32_t row = 0; row < kSize; ++row) costs[row * kSize + hidden[row]] = -10.0f;
  EXPECT_EQ(AssignColumns({.values = costs, .columns = kSize}), hidden);
}

TEST(AssignColumns, ResolvesRowsThatAllWantOneColumn) {
  std::vector<float> costs;
  for (size_t row = 0; row < 40; ++row) {
    for (size_t column = 0; column < 60; ++column) {
      costs.push_back(static_cast<float>(column * (row + 1)));
    }
  }
  // The steepest row takes the cheapest column: rows in reverse order.
  std::vector<uint32_t> expected(40);
  std::iota(expected.rbegin(), expected.rend(), 0u);
  EXPECT_EQ(AssignColumns({.values = costs, .columns = 60}), expected);
}

TEST(AssignColumns, OfNothingIsNothing) { EXPECT_TRUE(AssignColumns({}).empty()); }

}  // namespace
}  // namespace tensorguard::internal
