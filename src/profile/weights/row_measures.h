// What is counted and summed in the rows of a weight.
#ifndef TENSORGUARD_PROFILE_WEIGHTS_ROW_MEASURES_H_
#define TENSORGUARD_PROFILE_WEIGHTS_ROW_MEASURES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bfloat16.h"
#include "fingerprint/sketches/probe_numbers.h"

namespace tensorguard::internal {

struct RowMeasures {
  bool is_finite = true;  // every number; if not, nothing below is meant
  double sum = 0;
  double squares = 0;
  float least = 0;  // never -0, nor is the greatest
  float greatest = 0;
  uint64_t zeros = 0;  // 0 and -0
  uint64_t zero_rows = 0;
  uint64_t sparse_fours = 0;  // aligned groups of 4 neighbours in a row, two or more of them zero
  // By column, 1: some number is not zero. Empty: no column is all zeros.
  std::vector<uint8_t> filled_columns = {};
};

// Of whole rows. Both give the same bits for the same numbers, on every processor: sums are float64
// over every 32nd number, then over the 32 sums in a fixed order; their relative error is at most
// 2^-53 for each of n / 32 + 5 additions, of the sum relative to that of the magnitudes.
// REQUIRES: at least one row of at least one column.
RowMeasures MeasureRows(std::span<const float> values, uint64_t columns);
RowMeasures MeasureRows(std::span<const BFloat16> values, uint64_t columns);

// The same bits by plain loops: what MeasureRows is tested against.
RowMeasures MeasureRowsPlainly(std::span<const float> values, uint64_t columns);

// Groups of `size` neighbours in rows of `columns`, left to right and row by row; what is left at
// the end of a row belongs to none.
struct Groups {
  uint64_t size;
  uint64_t columns;

  uint64_t PerRow() const { return columns / size; }
  uint64_t FirstElement(uint64_t group) const {
    return group / PerRow() * columns + group % PerRow() * size;
  }
};

inline constexpr uint64_t kLargestGroup = 256;

// Adds up how many different values (0 and -0 being one) each sampled group has that lies in
// `values`, whole rows from `first_row` on. REQUIRES: groups of at most kLargestGroup; finite
// numbers.
uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const float> values);
uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const BFloat16> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_WEIGHTS_ROW_MEASURES_H_
