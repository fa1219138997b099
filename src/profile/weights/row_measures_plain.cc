#include <algorithm>
#include <cmath>

#include "profile/weights/row_measures.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kLanes = 32;

// Sums of every kLanes-th number, then a tree of these.
double InterleavedSum(const std::vector<double>& numbers) {
  std::vector<double> lanes(kLanes);
  for (size_t i = 0; i < numbers.size(); ++i) lanes[i % kLanes] += numbers[i];
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

}  // namespace

RowMeasures MeasureRowsPlainly(std::span<const float> values, uint64_t columns) {
  for (const float value : values) {
    if (!std::isfinite(value)) return {.is_finite = false};
  }
  std::vector<double> numbers(values.begin(), values.end());
  RowMeasures measures = {.sum = InterleavedSum(numbers)};
  for (double& number : numbers) number *= number;
  measures.squares = InterleavedSum(numbers);
  measures.least = *std::min_element(values.begin(), values.end()) + 0.0f;
  measures.greatest = *std::max_element(values.begin(), values.end()) + 0.0f;
  measures.filled_columns.resize(columns);
  for (size_t begin = 0; begin < values.size(); begin += columns) {
    const auto row = values.subspan(begin, columns);
    const auto zeros = static_cast<uint64_t>(std::count(row.begin(), row.end(), 0.0f));
    measures.zeros += zeros;
    measures.zero_rows += zeros == columns ? 1 : 0;
    for (size_t i = 0; i + 4 <= columns; i += 4) {
      measures.sparse_fours += std::count(&row[i], &row[i] + 4, 0.0f) >= 2 ? 1 : 0;
    }
    for (size_t i = 0; i < columns; ++i) {
      if (row[i] != 0) measures.filled_columns[i] = 1;
    }
  }
  const auto& filled = measures.filled_columns;
  if (std::count(filled.begin(), filled.end(), 1) == std::ssize(filled)) {
    measures.filled_columns.clear();
  }
  return measures;
}

}  // namespace tensorguard::internal
