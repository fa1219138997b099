// What is counted and summed in single rows of a weight.
#ifndef TENSORGUARD_FULL_PROFILE_ROW_MEASURES_H_
#define TENSORGUARD_FULL_PROFILE_ROW_MEASURES_H_

#include <cstdint>
#include <span>

#include "full_profile/probe_numbers.h"

namespace tensorguard {

struct RowTotals {
  double sum = 0;
  double squares = 0;
  float least = 0;
  float greatest = 0;
  uint64_t zeros = 0;
};

// REQUIRES: the row is not empty.
RowTotals TotalsOf(std::span<const float> row);

// Aligned groups of 4 neighbours of which two or more are zero.
uint64_t SparseFours(std::span<const float> row);

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
// `values`, whole rows from `first_row` on. REQUIRES: groups of at most kLargestGroup.
uint64_t DistinctInGroups(const FixedSample& sample, const Groups& groups, uint64_t first_row,
                          std::span<const float> values);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_ROW_MEASURES_H_
