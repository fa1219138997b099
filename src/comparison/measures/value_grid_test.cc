// Measures of matrices that were rounded, by bench/case_changes.py on a matrix of 96 or 256
// columns, and what must be said of them.
#include "comparison/measures/value_grid.h"

#include <gtest/gtest.h>

#include <string>

namespace tensorguard::internal {
namespace {

struct Rounded {
  const char* name;
  double distinct;
  double zeros;
  double columns;
  const char* said;
};

TEST(BitsThatAllow, NamesTheBitsOfGridsThatWereMeasured) {
  const Rounded cases[] = {
      {"2 bits, groups of 32", 4.00, 0.507, 96, "as 2 or 3 bits allow"},
      {"2 bits, rows", 3.41, 0.594, 96, "as 2 bits allow"},
      {"3 bits, groups of 32", 6.28, 0.303, 256, "as 3 bits allow"},
      {"3 bits, rows", 5.57, 0.351, 96, "as 3 bits allow"},
      {"4 bits, groups of 32", 11.65, 0.134, 96, "as 4 bits allow"},
      {"4 bits, rows", 10.44, 0.154, 96, "as 4 bits allow"},
      {"4 bits, rows of 256", 9.71, 0.174, 256, "as 4 bits allow"},
      {"5 bits, groups of 32", 18.14, 0.063, 96, "as 5 bits allow"},
      {"6 bits, rows", 22.61, 0.035, 96, "as 6 bits allow"},
      {"8 bits, rows", 29.13, 0.008, 96, "as 8 bits allow"},
      {"2 bits, groups of 16", 4.75, 0.675, 96, "as 2 bits in groups of 16 allow"},
      {"2 bits with zero point", 6.95, 0.435, 96, "as 2 bits in groups of 16 allow"},
      {"3 bits, groups of 16", 10.73, 0.266, 96, "as 3 bits in groups of 16 allow"},
      {"4 bits, groups of 16", 18.11, 0.117, 256, "as 4 bits in groups of 16 allow"},
      {"5 bits, groups of 16", 24.07, 0.055, 256, "as 5 bits in groups of 16 allow"},
      {"NF4, blocks of 64", 12.90, 0.091, 96, "as 4 bits of uneven steps allow (NF4, FP4)"},
      {"MXFP4", 13.09, 0.078, 96, "as 4 bits of uneven steps allow (NF4, FP4)"},
      {"NVFP4", 19.61, 0.068, 96, "as 4 bits of uneven steps in groups of 16 allow (NF4, FP4)"},
      {"ternary", 3.00, 0.425, 96, "three at most in most groups"}};
  for (const Rounded& rounded : cases) {
    EXPECT_EQ(BitsThatAllow({rounded.distinct, rounded.zeros, rounded.columns}), rounded.said)
        << rounded.name;
  }
}

TEST(BitsThatAllow, TakesAGridWithoutZeroForWhatItsValuesAllow) {
  EXPECT_EQ(BitsThatAllow({26.2, 0, 96}), "as 7 bits allow, or floats of 8 bits");
  EXPECT_EQ(BitsThatAllow({11.8, 0, 96}), "as 4 bits allow");
}

// A row of thousands has greater numbers than a group of 32, and who shares a scale is not known.
TEST(BitsThatAllow, NamesARangeWhereTheGroupDecides) {
  EXPECT_EQ(BitsThatAllow({11.65, 0.134, 4096}), "as 4 or 5 bits allow");
}

WeightSummary Matrix(double distinct, double zeros) {
  return {.rows = 96, .columns = 96, .zero_fraction = zeros, .distinct_per_32 = distinct};
}

TEST(IsOnGrid, HoldsForEightBitsAndNotForZerosHoweverTheyLie) {
  EXPECT_FALSE(IsOnGrid(Matrix(31.42, 0)));
  EXPECT_TRUE(IsOnGrid(Matrix(29.97, 0.01)));
  EXPECT_TRUE(IsOnGrid(Matrix(30.68, 0.006)));    // 8 bits in groups of 16
  EXPECT_FALSE(IsOnGrid(Matrix(16.7, 0.5)));      // two in every four
  EXPECT_FALSE(IsOnGrid(Matrix(22.72, 0.31)));    // scattered
  EXPECT_FALSE(IsOnGrid(Matrix(21.4, 1 / 3.0)));  // a third of the columns
  EXPECT_FALSE(IsOnGrid(Matrix(5.77, 0.85)));
  EXPECT_FALSE(IsOnGrid(Matrix(1, 1)));
}

TEST(HasZerosBesideGrid, TellsPrunedGridsFromGridsWithManyZeros) {
  EXPECT_TRUE(HasZerosBesideGrid({9.1, 0.5, 96}));     // pruned to a half, then 4 bits
  EXPECT_TRUE(HasZerosBesideGrid({16.2, 0.5, 96}));    // then 8 bits
  EXPECT_FALSE(HasZerosBesideGrid({4.75, 0.68, 96}));  // 2 bits in groups of 16
  EXPECT_FALSE(HasZerosBesideGrid({6.95, 0.43, 96}));
  EXPECT_FALSE(HasZerosBesideGrid({11.8, 0.13, 96}));
  EXPECT_FALSE(HasZerosBesideGrid({3, 0.43, 96}));
}

}  // namespace
}  // namespace tensorguard::internal
