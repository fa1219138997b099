#include "independence/stream/neighbour_contrasts.h"

#include <gtest/gtest.h>

#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

// The definition, with cosines of all pairs: how much more alike two units are in place than
// exchanged.
double PlainContrast(const arma::fmat& a, const arma::fmat& b, arma::uword pair) {
  const auto cosine = [&](arma::uword i, arma::uword j) {
    return arma::norm_dot(arma::conv_to<arma::vec>::from(a.col(i)),
                          arma::conv_to<arma::vec>::from(b.col(j)));
  };
  const arma::uword left = 2 * pair;
  const arma::uword right = left + 1;
  return cosine(left, left) + cosine(right, right) - cosine(left, right) - cosine(right, left);
}

TEST(NeighbourContrasts, EqualTheirDefinition) {
  const UnitVectors a = RandomUnits(24, 10, true, 1);
  const UnitVectors b = RandomUnits(24, 10, true, 2);
  const auto contrasts = NeighbourContrasts(a, b);
  ASSERT_EQ(contrasts.size(), 5u);
  for (size_t pair = 0; pair < 5; ++pair) {
    EXPECT_NEAR(contrasts[pair].value,
                PlainContrast(a.gate, b.gate, pair) + PlainContrast(a.up, b.up, pair) +
                    PlainContrast(a.down, b.down, pair),
                1e-5);
  }
}

TEST(NeighbourContrasts, ChangeSignWhenNeighboursAreExchanged) {
  const UnitVectors a = RandomUnits(24, 8, false, 3);
  const UnitVectors b = RandomUnits(24, 8, false, 4);
  const auto before = NeighbourContrasts(a, b);
  const auto after = NeighbourContrasts(Chosen(a, {1, 0, 2, 3, 5, 4, 6, 7}), b);
  for (const size_t exchanged : {0, 2}) {
    EXPECT_NEAR(after[exchanged].value, -before[exchanged].value, 1e-6);
  }
  for (const size_t kept : {1, 3}) {
    EXPECT_NEAR(after[kept].value, before[kept].value, 1e-6);
    EXPECT_NEAR(after[kept].largest, before[kept].largest, 1e-6);
  }
}

TEST(NeighbourContrasts, UseTheLeadingUnitsAndCoordinatesOfDifferentWidths) {
  EXPECT_EQ(NeighbourContrasts(RandomUnits(24, 9, true, 5), RandomUnits(16, 12, true, 6)).size(),
            4u);
  EXPECT_TRUE(NeighbourContrasts(RandomUnits(8, 1, true, 5), RandomUnits(8, 4, true, 6)).empty());
}

TEST(NeighbourContrasts, AreAsLargeAsTheyCanBeForEqualUnits) {
  const UnitVectors units = RandomUnits(24, 8, true, 7);
  for (const NeighbourContrast& contrast : NeighbourContrasts(units, units)) {
    EXPECT_NEAR(contrast.value, contrast.largest, 1e-9);
  }
}

TEST(NeighbourContrasts, AreZeroForZeroWeights) {
  UnitVectors zero = RandomUnits(16, 6, true, 8);
  zero.gate.zeros();
  zero.up.zeros();
  zero.down.zeros();
  for (const NeighbourContrast& contrast : NeighbourContrasts(zero, RandomUnits(16, 6, true, 9))) {
    EXPECT_EQ(contrast.value, 0.0);
    EXPECT_EQ(contrast.largest, 0.0);
  }
}

}  // namespace
}  // namespace tensorguard::internal
