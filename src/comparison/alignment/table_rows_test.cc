#include "comparison/alignment/table_rows.h"

#include <gtest/gtest.h>

#include <random>

namespace tensorguard::internal {
namespace {

// A table whose rows are numbers of `generator`.
WeightSummary RandomTable(size_t rows, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  WeightSummary table = {.rows = rows, .columns = 64};
  table.row_sample.projections = FloatMatrix(rows, kRowProjections);
  for (size_t row = 0; row < rows; ++row) {
    table.row_sample.digests.push_back(static_cast<uint32_t>(generator()));
    for (float& value : table.row_sample.projections.Row(row)) value = normal(generator);
  }
  return table;
}

void Replace(WeightSummary& table, size_t begin, size_t end, const WeightSummary& by) {
  for (size_t row = begin; row < end; ++row) {
    table.row_sample.digests[row] = by.row_sample.digests[row];
    const auto from = by.row_sample.projections.Row(row);
    std::copy(from.begin(), from.end(), table.row_sample.projections.Row(row).begin());
  }
}

TEST(CompareRows, CountsRowsThatAreTheSame) {
  const auto table = RandomTable(1000, 1);
  auto other = table;
  Replace(other, 250, 1000, RandomTable(1000, 2));
  const auto shares = CompareRows(table, other);
  ASSERT_TRUE(shares);
  EXPECT_NEAR(shares->same, 0.25, 1e-12);
  EXPECT_NEAR(shares->changed, 0, 1e-12);
  EXPECT_NEAR(shares->nothing, 0.75, 1e-12);
}

TEST(CompareRows, FindsRowsAtOtherPlaces) {
  const auto table = RandomTable(500, 1);
  auto other = table;
  std::reverse(other.row_sample.digests.begin(), other.row_sample.digests.end());
  EXPECT_EQ(CompareRows(table, other)->same, 1);
}

TEST(CompareRows, TellsTrainedRowsFromReplacedOnes) {
  const auto table = RandomTable(1024, 1);
  const auto noise = RandomTable(1024, 3);
  auto other = table;
  Replace(other, 512, 1024, RandomTable(1024, 2));
  for (size_t row = 0; row < 512; ++row) {
    other.row_sample.digests[row] ^= 1;
    for (size_t i = 0; i < kRowProjections; ++i) {
      other.row_sample.projections.Row(row)[i] += 0.3f * noise.row_sample.projections.Row(row)[i];
    }
  }
  const auto shares = CompareRows(table, other);
  EXPECT_EQ(shares->same, 0);
  EXPECT_NEAR(shares->changed, 0.5, 1e-12);
}

// All rows lean one way in strangers, too.
TEST(CompareRows, DoesNotTakeACommonMeanForLikeness) {
  auto table = RandomTable(1024, 1);
  auto other = RandomTable(1024, 2);
  for (WeightSummary* each : {&table, &other}) {
    for (float& value : each->row_sample.projections.values()) value += 5;
  }
  EXPECT_EQ(CompareRows(table, other)->changed, 0);
}

TEST(CompareRows, IsEmptyWithoutSamplesOrForOtherWidths) {
  const auto table = RandomTable(100, 1);
  EXPECT_FALSE(CompareRows(table, {}));
  auto wide = table;
  wide.columns = 128;
  EXPECT_FALSE(CompareRows(table, wide));
}

}  // namespace
}  // namespace tensorguard::internal
