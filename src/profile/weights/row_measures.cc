#include "profile/weights/row_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "profile/weights/distinct_values.h"
#include "profile/weights/row_lanes.h"

namespace tensorguard::internal {
namespace {

static_assert(kLargestGroup <= kMostCounted);

// Numbers that are passed over several times before the next: they fit the first-level cache.
constexpr size_t kPiece = 4096;
static_assert(kPiece % kSumLanes == 0);

constexpr size_t kRowLanes = 8;

double SumOf(std::array<double, kSumLanes> lanes) {
  for (size_t half = kSumLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// What follows the last whole step is followed by zeros, which change no sum.
template <class T>
void AddPiece(std::span<const T> piece, LaneSums& sums) {
  const size_t whole = piece.size() / kSumLanes * kSumLanes;
  AddToLanes(piece.first(whole), sums);
  if (whole == piece.size()) return;
  std::array<T, kSumLanes> rest = {};
  std::copy(piece.begin() + static_cast<std::ptrdiff_t>(whole), piece.end(), rest.begin());
  AddToLanes(std::span<const T>(rest), sums);
}

// Columns that are found to hold another number than zero, row by row.
template <class T>
class FilledColumns {
 public:
  explicit FilledColumns(uint64_t columns) : filled_(columns) {}

  void MarkAll() { filled_.clear(); }
  void Mark(std::span<const T> row) {
    if (filled_.empty()) return;
    uint8_t* const filled = filled_.data();
    for (size_t column = 0; column < row.size(); ++column) {
      filled[column] = static_cast<uint8_t>(filled[column] | (IsZero(row[column]) ? 0 : 1));
    }
    while (first_empty_ < filled_.size() && filled_[first_empty_] == 1) ++first_empty_;
    if (first_empty_ == filled_.size()) MarkAll();
  }
  std::vector<uint8_t> Take() { return std::move(filled_); }

 private:
  std::vector<uint8_t> filled_;  // empty: all are
  size_t first_empty_ = 0;
};

template <class T>
void CountZeros(std::span<const T> values, uint64_t columns, RowMeasures& measures) {
  FilledColumns<T> filled(columns);
  for (size_t begin = 0; begin < values.size(); begin += columns) {
    const std::span<const T> row = values.subspan(begin, columns);
    const RowZeros zeros = ZerosOf(row);
    measures.zeros += zeros.zeros;
    measures.sparse_fours += zeros.sparse_fours;
    if (zeros.zeros == columns) {
      ++measures.zero_rows;
    } else if (zeros.zeros == 0) {
      filled.MarkAll();
    } else {
      filled.Mark(row);
    }
  }
  measures.filled_columns = filled.Take();
}

// Zeros, which few weights have, are looked into only where there are some.
template <class T>
RowMeasures Measure(std::span<const T> values, uint64_t columns) {
  const float first = ExtremesOf(values.first(1)).least;
  RowMeasures measures = {.least = first, .greatest = first};
  LaneSums sums;
  bool has_zero = false;
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const auto piece = values.subspan(begin, std::min(kPiece, values.size() - begin));
    const Extremes extremes = ExtremesOf(piece);
    if (!std::isfinite(extremes.least) || !std::isfinite(extremes.greatest)) {
      return {.is_finite = false};
    }
    measures.least = std::min(measures.least, extremes.least);
    measures.greatest = std::max(measures.greatest, extremes.greatest);
    has_zero |= extremes.has_zero;
    AddPiece(piece, sums);
  }
  measures.sum = SumOf(sums.sums);
  measures.squares = SumOf(sums.squares);
  if (has_zero) CountZeros(values, columns, measures);
  return measures;
}

template <class T>
uint64_t CountDistinct(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                       std::span<const T> values) {
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

}  // namespace

RowMeasures MeasureRows(std::span<const float> values, uint64_t columns) {
  return Measure(values, columns);
}

RowMeasures MeasureRows(std::span<const BFloat16> values, uint64_t columns) {
  return Measure(values, columns);
}

uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const float> values) {
  return CountDistinct(sample, groups, first_row, values);
}

uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const BFloat16> values) {
  return CountDistinct(sample, groups, first_row, values);
}

}  // namespace tensorguard::internal
