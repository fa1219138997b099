#include "full_profile/row_measures.h"

#include <algorithm>
#include <array>

namespace tensorguard {
namespace {

constexpr size_t kLanes = 8;

// Different values, 0 and -0 being one.
uint64_t DistinctValues(std::span<const float> group) {
  std::array<float, kLargestGroup> values;
  const auto end = std::copy(group.begin(), group.end(), values.begin());
  std::sort(values.begin(), end);
  return static_cast<uint64_t>(std::unique(values.begin(), end) - values.begin());
}

}  // namespace

// Interleaved sums that the compiler keeps in vector lanes, added in a fixed order.
RowTotals TotalsOf(std::span<const float> row) {
  std::array<double, kLanes> sums = {};
  std::array<double, kLanes> squares = {};
  std::array<float, kLanes> least;
  std::array<float, kLanes> greatest;
  std::array<uint32_t, kLanes> zeros = {};
  least.fill(row[0]);
  greatest.fill(row[0]);
  const auto add = [&](size_t lane, float value) {
    sums[lane] += value;
    squares[lane] += static_cast<double>(value) * value;
    least[lane] = std::min(least[lane], value);
    greatest[lane] = std::max(greatest[lane], value);
    zeros[lane] += value == 0 ? 1u : 0u;
  };
  size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(lane, row[i + lane]);
  }
  for (size_t lane = 0; i < row.size(); ++i, ++lane) add(lane, row[i]);

  RowTotals totals = {.least = least[0], .greatest = greatest[0]};
  for (size_t lane = 0; lane < kLanes; ++lane) {
    totals.sum += sums[lane];
    totals.squares += squares[lane];
    totals.least = std::min(totals.least, least[lane]);
    totals.greatest = std::max(totals.greatest, greatest[lane]);
    totals.zeros += zeros[lane];
  }
  return totals;
}

uint64_t SparseFours(std::span<const float> row) {
  uint64_t count = 0;
  for (size_t i = 0; i + 4 <= row.size(); i += 4) {
    const int zeros = (row[i] == 0) + (row[i + 1] == 0) + (row[i + 2] == 0) + (row[i + 3] == 0);
    count += zeros >= 2 ? 1 : 0;
  }
  return count;
}

uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const float> values) {
  if (groups.PerRow() == 0) return 0;
  const uint64_t rows = values.size() / groups.columns;
  const uint64_t end = (first_row + rows) * groups.PerRow();
  uint64_t distinct = 0;
  for (uint64_t k = sample.FirstNotBelow(first_row * groups.PerRow()); k < sample.size(); ++k) {
    const uint64_t group = sample.Position(k);
    if (group >= end) break;
    const uint64_t first = groups.FirstElement(group) - first_row * groups.columns;
    distinct += DistinctValues(values.subspan(first, groups.size));
  }
  return distinct;
}

}  // namespace tensorguard
