#include "independence/units/matched_units.h"

#include <gtest/gtest.h>

#include "independence/statistics/agreement.h"
#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

constexpr arma::uword kHidden = 32;
constexpr arma::uword kUnits = 96;

ResidualMaps Same() { return SameCoordinates(kHidden, kHidden, 0); }

// Rotated back by the map, shuffled, with moved signs and noise: the same units all the same.
UnitVectors Laundered(const UnitVectors& vectors, const arma::fmat& rotation) {
  UnitVectors laundered = Rotated(
      Chosen(WithMovedSigns(vectors), ShuffledUnits(static_cast<uint32_t>(kUnits), 11)), rotation);
  laundered.up += 0.03f * NormalMatrix(kHidden, kUnits, 12);
  laundered.down += 0.03f * NormalMatrix(kHidden, kUnits, 13);
  return laundered;
}

TEST(MatchUnits, FindsEveryUnitOfALaunderedBlock) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, true, 1);
  const arma::fmat rotation = RandomRotation(kHidden, 2);
  const ResidualMaps maps{.a = rotation.t(), .b = arma::fmat(kHidden, kHidden, arma::fill::eye)};
  const auto agreements = MatchUnits(a, Laundered(a, rotation), maps, {.threads = 1});
  ASSERT_EQ(agreements.size(), 2u);
  EXPECT_EQ(agreements[0].matrices, "gate and up");
  EXPECT_EQ(agreements[1].matrices, "gate and down");
  for (const Agreement& agreement : agreements) {
    EXPECT_EQ(agreement.units, kUnits);
    EXPECT_EQ(agreement.agreeing, kUnits);
  }
  EXPECT_LT(LogAgreementP(agreements) / std::log(10.0), -12.0);
}

TEST(MatchUnits, FindsNothingInIndependentBlocks) {
  uint64_t agreeing = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto agreements = MatchUnits(RandomUnits(kHidden, kUnits, true, 100 + seed),
                                       RandomUnits(kHidden, kUnits, true, 200 + seed), Same(),
                                       {.seed = seed, .threads = 1});
    for (const Agreement& agreement : agreements) agreeing += agreement.agreeing;
    EXPECT_EQ(LogAgreementP(agreements), 0.0);
  }
  // One in each matching is expected by chance: 20, give or take 4.5.
  EXPECT_LT(agreeing, 40u);
  EXPECT_GT(agreeing, 5u);
}

TEST(MatchUnits, FindsTheUnitsThatPruningLeft) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, false, 5);
  const UnitVectors pruned =
      Chosen(a, ShuffledUnits(static_cast<uint32_t>(kUnits), 6).head(kUnits / 2));
  for (const auto& agreements : {MatchUnits(a, pruned, Same(), {.threads = 1}),
                                 MatchUnits(pruned, a, Same(), {.threads = 1})}) {
    ASSERT_EQ(agreements.size(), 1u);
    EXPECT_EQ(agreements[0].matrices, "up and down");
    EXPECT_EQ(agreements[0].units, kUnits / 2);
    EXPECT_GE(agreements[0].agreeing, kUnits / 2 - 2);
  }
}

TEST(MatchUnits, ComparesAGatedBlockWithAPlainOneByUpAndDown) {
  UnitVectors plain = RandomUnits(kHidden, kUnits, true, 7);
  const UnitVectors gated = plain;
  plain.gate.reset();
  const auto agreements = MatchUnits(gated, plain, Same(), {.threads = 1});
  ASSERT_EQ(agreements.size(), 1u);
  EXPECT_EQ(agreements[0].agreeing, kUnits);
}

// Two blocks of equal units, or with many zero units, must not agree because ties fall alike.
TEST(MatchUnits, BreaksTiesDifferentlyForEachMatrix) {
  UnitVectors a = RandomUnits(kHidden, kUnits, true, 8);
  UnitVectors b = RandomUnits(kHidden, kUnits, true, 9);
  for (UnitVectors* vectors : {&a, &b}) {
    for (arma::fmat* matrix : {&vectors->gate, &vectors->up, &vectors->down}) {
      for (arma::uword unit = 2; unit < kUnits; ++unit) matrix->col(unit) = matrix->col(unit % 2);
    }
  }
  for (const Agreement& agreement : MatchUnits(a, b, Same(), {.threads = 1})) {
    EXPECT_LT(agreement.agreeing, 12u) << agreement.matrices;
  }
  for (arma::fmat* matrix : {&a.gate, &a.up, &a.down, &b.gate, &b.up, &b.down}) {
    matrix->zeros();
    matrix->col(0).ones();
  }
  for (const Agreement& agreement : MatchUnits(a, b, Same(), {.threads = 1})) {
    EXPECT_LT(agreement.agreeing, 12u) << agreement.matrices;
  }
}

TEST(MatchUnits, SaysNothingOfAZeroMatrix) {
  const UnitVectors a = RandomUnits(kHidden, kUnits, true, 10);
  UnitVectors zero = a;
  zero.down.zeros();
  EXPECT_TRUE(MatchUnits(a, zero, Same(), {.threads = 1}).empty());
}

TEST(MatchUnits, DoesNotDependOnTheNumberOfThreads) {
  const UnitVectors a = RandomUnits(kHidden, 600, true, 20);
  const UnitVectors b = RandomUnits(kHidden, 600, true, 21);
  const auto one = MatchUnits(a, b, Same(), {.threads = 1});
  const auto three = MatchUnits(a, b, Same(), {.threads = 3});
  ASSERT_EQ(one.size(), three.size());
  for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].agreeing, three[i].agreeing);
}

TEST(LogAgreementP, AllowsWhatIndependentNetworksShare) {
  // A tenth of all units, a quarter of one layer's.
  EXPECT_EQ(LogAgreementP({{"gate and up", 1000, 25}, {"gate and up", 1000, 90}}), 0.0);
  EXPECT_EQ(LogAgreementP({}), 0.0);
  EXPECT_LT(LogAgreementP({{"gate and up", 1000, 300}}), -100.0);
}

TEST(LogAgreementP, SeesOneCopiedLayerAmongMany) {
  std::vector<Agreement> agreements(11, {"up and down", 256, 1});
  agreements.push_back({"up and down", 256, 250});
  EXPECT_LT(LogAgreementP(agreements) / std::log(10.0), -12.0);
}

}  // namespace
}  // namespace tensorguard::internal
