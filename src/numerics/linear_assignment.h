// The linear assignment problem: one column for every row, no column twice, least total cost.
#ifndef TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_
#define TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tensorguard::internal {

// What each pair costs, row after row.
struct AssignmentCosts {
  std::span<const float> values;  // finite
  size_t columns = 0;

  size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
  std::span<const float> Row(size_t row) const { return values.subspan(row * columns, columns); }
};

// The column of each row. Shortest augmenting paths after a greedy start, as in Jonker and
// Volgenant (Computing 38, 1987), for rectangular costs as in Crouse (IEEE TAES 52, 2016): time
// rows^2 * columns at worst, near rows * columns where most rows have a best column of their own.
// Which of equally cheap assignments comes out is fixed by the order of rows and columns.
// REQUIRES: rows <= columns.
std::vector<uint32_t> AssignColumns(const AssignmentCosts& costs);

// The same by trying all: what AssignColumns is tested against. REQUIRES: at most 9 columns.
std::vector<uint32_t> AssignColumnsExhaustively(const AssignmentCosts& costs);

// Sum of the costs chosen, in float64.
double AssignmentCost(const AssignmentCosts& costs, const std::vector<uint32_t>& column_of_row);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_
