#include "independence/units/maps_from_units.h"

#include <gtest/gtest.h>

#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

constexpr arma::uword kHidden = 24;
constexpr uint32_t kUnits = 80;

// How far the maps are from bringing `rotation` back: 0 if they do.
double Distance(const ResidualMaps& maps, const arma::fmat& rotation) {
  return arma::norm(maps.b * maps.a.t() - rotation, "fro");
}

class FitUnitsTest : public testing::TestWithParam<bool> {};  // gated

TEST_P(FitUnitsTest, FindsARotationBehindAShuffle) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, GetParam(), 1);
  const arma::fmat rotation = RandomRotation(kHidden, 2);
  UnitVectors b = Rotated(Chosen(a, ShuffledUnits(kUnits, 3)), rotation);
  if (GetParam()) b = WithMovedSigns(b);
  const auto fit = FitUnits(a, b, 0, 1);
  ASSERT_TRUE(fit);
  EXPECT_LT(Distance(fit->maps, rotation), 1e-3);
  EXPECT_NEAR(fit->cosine, 1.0, 1e-4);
}

TEST_P(FitUnitsTest, StandsOutFromAFitOfIndependentBlocks) {
  const auto fit = FitUnits(RandomUnits(kHidden, kUnits, GetParam(), 4),
                            RandomUnits(kHidden, kUnits, GetParam(), 5), 0, 1);
  ASSERT_TRUE(fit);
  EXPECT_LT(fit->cosine, 0.7);
}

TEST_P(FitUnitsTest, FitsFewerUnitsToMoreFromEitherSide) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, GetParam(), 6);
  const UnitVectors b = RandomUnits(kHidden, kUnits / 2, GetParam(), 7);
  const auto forth = FitUnits(a, b, 0, 1);
  const auto back = FitUnits(b, a, 0, 1);
  ASSERT_TRUE(forth && back);
  EXPECT_TRUE(arma::approx_equal(forth->maps.a, back->maps.b, "absdiff", 0.0));
  EXPECT_TRUE(arma::approx_equal(forth->maps.b, back->maps.a, "absdiff", 0.0));
}

INSTANTIATE_TEST_SUITE_P(GatedAndPlain, FitUnitsTest, testing::Bool());

TEST(FitUnits, HasNoMapForZeroMatrices) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, true, 8);
  UnitVectors zero = a;
  zero.up.zeros();
  EXPECT_FALSE(FitUnits(a, zero, 0, 1));
}

TEST(UnitDescriptors, StayWhenTheResidualStreamIsRotated) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, true, 9);
  const arma::fmat before = UnitDescriptors(a, 1);
  const arma::fmat after =
      UnitDescriptors(WithMovedSigns(Rotated(a, RandomRotation(kHidden, 10))), 1);
  // Ranks: float error may exchange two neighbours, no more.
  EXPECT_LT(arma::abs(before - after).max(), 3.0 / kUnits);
}

}  // namespace
}  // namespace tensorguard::internal
