// The linear assignment problem: one column for every row, no column twice, least total cost.
#ifndef TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_
#define TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_

#include <cstdint>
#include <vector>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// The column of each row. Shortest augmenting paths after a greedy start, as in Jonker and
// Volgenant (Computing 38, 1987), for rectangular costs as in Crouse (IEEE TAES 52, 2016): time
// rows^2 * columns at worst, near rows * columns where most rows have a best column of their own.
// Which of equally cheap assignments comes out is fixed by the order of rows and columns.
// REQUIRES: rows <= columns, finite costs.
std::vector<uint32_t> AssignColumns(const FloatMatrix& costs);

// The same by trying all: what AssignColumns is tested against. REQUIRES: at most 9 columns.
std::vector<uint32_t> AssignColumnsExhaustively(const FloatMatrix& costs);

// Sum of the costs chosen, in float64.
double AssignmentCost(const FloatMatrix& costs, const std::vector<uint32_t>& column_of_row);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_LINEAR_ASSIGNMENT_H_
