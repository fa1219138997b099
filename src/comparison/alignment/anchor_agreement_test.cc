#include "comparison/alignment/anchor_agreement.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

double Agreement(const Fingerprint& a, const Fingerprint& b) {
  const auto anchors = FindCommonAnchors(a, b);
  EXPECT_TRUE(anchors);
  return *AnchorAgreement(a, b, *anchors);
}

TEST(AnchorAgreement, IsHighWhereTokensMeanTheSame) {
  const auto a = RandomToyModel(1);
  EXPECT_NEAR(Agreement(FingerprintOf(a), FingerprintOf(a)), 1, 1e-6);
  EXPECT_NEAR(Agreement(FingerprintOf(a), FingerprintOf(Rotated(a, 2))), 1, 1e-4);
  EXPECT_GT(Agreement(FingerprintOf(a), FingerprintOf(RandomToyModel(2))), 0.4);
}

TEST(AnchorAgreement, IsLowWhereAnchorsNameOtherRows) {
  const auto a = RandomToyModel(1);
  ToyModel exchanged = a;
  std::mt19937 generator(5);
  std::vector<arma::uword> order(kToyAnchors);
  for (arma::uword i = 0; i < kToyAnchors; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), generator);
  for (arma::uword i = 0; i < kToyAnchors; ++i) exchanged.head.row(i) = a.head.row(order[i]);
  EXPECT_LT(Agreement(FingerprintOf(a), FingerprintOf(exchanged)), 0.2);
}

TEST(AnchorAgreement, IsEmptyWithAnObstacle) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto rows = a;
  rows.anchor_kind = AnchorKind::kRows;
  const auto anchors = FindCommonAnchors(a, rows);
  ASSERT_TRUE(anchors);
  EXPECT_FALSE(AnchorAgreement(a, rows, *anchors));
}

}  // namespace
}  // namespace tensorguard::internal
