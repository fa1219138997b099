#include "comparison/measures/value_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

constexpr double kNeighbours = 32;

double NormalBelow(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

// The argument at which a function that falls (or rises) steadily has a value.
template <typename Function>
double Inverse(const Function& function, double value, bool rises) {
  double low = 1e-3;
  double high = 8;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    ((function(middle) < value) == rises ? low : high) = middle;
  }
  return low;
}

// Different values among 32 normal numbers that are rounded to multiples of `step`.
double DistinctOnEvenGrid(double step) {
  const int levels = static_cast<int>(std::ceil(6 / step));
  double distinct = 0;
  for (int level = -levels; level <= levels; ++level) {
    const double share = NormalBelow((level + 0.5) * step) - NormalBelow((level - 0.5) * step);
    distinct += 1 - std::pow(1 - share, kNeighbours);
  }
  return distinct;
}

double StepOfZeros(double zeros) {
  return Inverse([](double step) { return 2 * NormalBelow(step / 2) - 1; }, zeros, true);
}

double StepOfDistinct(double distinct) { return Inverse(DistinctOnEvenGrid, distinct, false); }

// Greatest of n normal numbers, as it is on average; within 2 % from 16 to 4096.
double GreatestOf(double n) { return 0.9 * std::sqrt(2 * std::log(std::max(2.0, n))); }

// Bits of a grid whose values reach from -reach to reach. What is left over three tenths of a bit
// is the difference of the greatest and the least number of a group from twice the greatest.
int BitsFor(double reach, double step) {
  return std::clamp(static_cast<int>(std::ceil(std::log2(2 * reach / step + 1) - 0.3)), 1, 8);
}

std::string AsBitsAllow(int least, int most) {
  if (least >= most) return fmt::format("as {} bits allow", most);
  return fmt::format("as {} {} {} bits allow", least, most - least == 1 ? "or" : "to", most);
}

}  // namespace

double ZerosInBlocks(const WeightSummary& weight) {
  return weight.zero_row_fraction + weight.zero_column_fraction -
         weight.zero_row_fraction * weight.zero_column_fraction;
}

double ScatteredZeros(const WeightSummary& weight) {
  const double outside = 1 - ZerosInBlocks(weight);
  if (outside <= 0) return 0;
  return std::max(0.0, (weight.zero_fraction - ZerosInBlocks(weight)) / outside);
}

bool IsOnGrid(const WeightSummary& weight) {
  if (!weight.distinct_per_32 || weight.zero_fraction >= 1) return false;
  const double zeros = weight.zero_fraction;
  const double fewest = (1 - zeros) * kDistinctOfBFloat16 + zeros;
  return *weight.distinct_per_32 < kOnGridShare * fewest;
}

bool HasZerosBesideGrid(const GridMeasures& measures) {
  if (measures.distinct <= kTernaryValues || measures.zeros < kPrunedZeros) return false;
  const double step = StepOfZeros(measures.zeros);
  return measures.distinct > kMostOverEvenGrid * DistinctOnEvenGrid(step);
}

std::string BitsThatAllow(const GridMeasures& measures) {
  if (measures.distinct <= kTernaryValues) return "three at most in most groups";
  if (HasZerosBesideGrid(measures)) return "zeros among them, as few bits allow";
  const double in_a_row = GreatestOf(measures.columns);
  if (measures.zeros < kFewestGridZeros) {  // zero is no value of the grid, or one of a float
    const double step = StepOfDistinct(measures.distinct);
    return AsBitsAllow(BitsFor(GreatestOf(kNeighbours), step), BitsFor(in_a_row, step)) +
           (measures.distinct > 16 ? ", or floats of 8 bits" : "");
  }
  const double step = StepOfZeros(measures.zeros);
  const double over_even = measures.distinct / DistinctOnEvenGrid(step);
  if (over_even < kUnevenSteps) {
    return measures.distinct <= 16 ? "as 4 bits of uneven steps allow (NF4, FP4)"
                                   : "as floats of 8 bits allow";
  }
  if (over_even < kScalesOfSixteen) {
    return AsBitsAllow(BitsFor(GreatestOf(kNeighbours), step), BitsFor(in_a_row, step));
  }
  const int bits = BitsFor(GreatestOf(16), step);
  if (bits == 5 && over_even < kUnevenOfSixteen) {
    return "as 4 bits of uneven steps in groups of 16 allow (NF4, FP4)";
  }
  return fmt::format("as {} bits in groups of 16 allow", bits);
}

}  // namespace tensorguard::internal
