#include "independence/statistics/unit_similarity.h"

#include <gtest/gtest.h>

#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

// Wider than one thread's piece, and not a multiple of it.
constexpr arma::uword kWide = 600;

bool SameBits(const arma::fmat& x, const arma::fmat& y) {
  return arma::size(x) == arma::size(y) && std::equal(x.begin(), x.end(), y.begin());
}

arma::mat Wide(const arma::fmat& matrix) { return arma::conv_to<arma::mat>::from(matrix); }

TEST(TransposedProduct, AgreesWithDoublePrecisionForAnyThreads) {
  const arma::fmat left = NormalMatrix(40, 70, 1);
  const arma::fmat right = NormalMatrix(40, kWide, 2);
  const arma::fmat product = TransposedProduct(left, right, 1);
  const arma::mat exact = Wide(left).t() * Wide(right);
  EXPECT_LT(arma::abs(Wide(product) - exact).max(), 1e-4);
  EXPECT_TRUE(SameBits(product, TransposedProduct(left, right, 3)));
}

TEST(AddTransposedProduct, AddsToWhatIsThere) {
  const arma::fmat left = NormalMatrix(30, 50, 3);
  const arma::fmat right = NormalMatrix(30, kWide, 4);
  arma::fmat sum(50, kWide, arma::fill::ones);
  AddTransposedProduct(left, right, Triangle::kWhole, &sum, 2);
  AddTransposedProduct(left, right, Triangle::kWhole, &sum, 2);
  EXPECT_LT(arma::abs(Wide(sum) - 2.0 * Wide(left).t() * Wide(right) - 1.0).max(), 1e-4);
}

TEST(AddTransposedProduct, KeepsTheLowerTriangleOfAGram) {
  const arma::fmat units = NormalMatrix(30, kWide, 5);
  arma::fmat gram(kWide, kWide, arma::fill::zeros);
  AddTransposedProduct(units, units, Triangle::kLower, &gram, 2);
  EXPECT_LT(arma::abs(Wide(arma::symmatl(gram)) - Wide(units).t() * Wide(units)).max(), 1e-4);
}

TEST(WithoutPredictable, LeavesWhatTheRegressorDoesNotTell) {
  const arma::fmat regressor = NormalMatrix(10, kWide, 6);
  const arma::fmat own = NormalMatrix(8, kWide, 7);
  const arma::fmat told = NormalMatrix(8, 10, 8) * regressor;
  EXPECT_LT(arma::norm(WithoutPredictable(told, regressor, 1), "fro"),
            0.05f * arma::norm(told, "fro"));
  EXPECT_GT(arma::norm(WithoutPredictable(own, regressor, 1), "fro"),
            0.95f * arma::norm(own, "fro"));
  EXPECT_TRUE(SameBits(WithoutPredictable(own, arma::fmat(10, kWide), 1), own));
}

// Fewer units than the regressor has rows, and more: each against the formula in double precision.
TEST(WithoutPredictable, IsTheRidgeRegressionsRest) {
  for (const arma::uword units : {70, 300}) {
    const arma::fmat regressor = NormalMatrix(100, units, 9);
    const arma::fmat dependent = NormalMatrix(20, units, 10);
    const arma::mat x = Wide(regressor);
    arma::mat gram = x * x.t();
    gram.diag() += 0.03 * arma::trace(gram) / 100.0;
    const arma::mat coefficients = arma::solve(gram, arma::mat(x * Wide(dependent).t()));
    const arma::mat rest = Wide(dependent) - coefficients.t() * x;
    const arma::fmat found = WithoutPredictable(dependent, regressor, 2);
    EXPECT_LT(arma::abs(Wide(found) - rest).max(), 1e-3) << units;
    EXPECT_TRUE(SameBits(found, WithoutPredictable(dependent, regressor, 3)));
  }
}

}  // namespace
}  // namespace tensorguard::internal
