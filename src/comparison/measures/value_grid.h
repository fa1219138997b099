// What the values of a matrix that was rounded to a grid tell of the grid.
//
// Two measures are at hand: the share z of exact zeros, and the mean number d of different values
// among 32 neighbours. Of normal numbers on a grid of even steps, both follow from the step s, in
// units of the deviation: z gives s, and d must be what s makes of it. Where 16 neighbours share a
// scale, d is higher by up to 1.65; on uneven steps (NF4, floats) it is lower; zeros that were put
// there leave a d that is higher by far.
#ifndef TENSORGUARD_COMPARISON_MEASURES_VALUE_GRID_H_
#define TENSORGUARD_COMPARISON_MEASURES_VALUE_GRID_H_

#include <string>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Mean measures of one matrix, or of several.
struct GridMeasures {
  double distinct = 32;  // among 32 neighbours
  double zeros = 0;      // outside of rows and columns of zeros
  double columns = 0;    // of the widest matrix: a scale is for all of a row at most
};

// Elements in rows and columns that are all zero.
double ZerosInBlocks(const WeightSummary& weight);

// Of the elements outside such rows and columns, those that are zero.
double ScatteredZeros(const WeightSummary& weight);

// Fewer values among 32 neighbours than its zeros leave, however they lie.
bool IsOnGrid(const WeightSummary& weight);

// More values than a grid with so many zeros has: some of them were put there.
bool HasZerosBesideGrid(const GridMeasures& measures);

// "as 4 bits allow". REQUIRES: of matrices on a grid.
std::string BitsThatAllow(const GridMeasures& measures);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MEASURES_VALUE_GRID_H_
