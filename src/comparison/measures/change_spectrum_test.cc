#include "comparison/measures/change_spectrum.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

arma::mat Numbers(arma::uword rows, arma::uword columns, uint64_t seed) {
  arma::mat matrix(rows, columns);
  for (arma::uword i = 0; i < matrix.n_elem; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    matrix(i) = static_cast<double>(seed >> 40) / (1 << 23) - 1;
  }
  return matrix;
}

TEST(EigenvaluesAbove, CountsThoseThatLapackFinds) {
  for (const arma::uword rank : {1u, 3u, 20u, 32u}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const arma::mat factor = Numbers(32, rank, seed);
      const arma::mat gram = factor * factor.t() + 1e-6 * arma::eye(32, 32);
      const arma::vec values = arma::eig_sym(gram);
      for (const double threshold : {1e-7, 1e-3, 0.5, 3.0, 12.0, 1e3}) {
        EXPECT_EQ(EigenvaluesAbove(gram, threshold), arma::accu(values > threshold))
            << rank << " " << seed << " " << threshold;
      }
    }
  }
}

TEST(EigenvaluesAbove, HoldsForMatricesWithoutOffDiagonal) {
  const arma::mat diagonal = arma::diagmat(arma::vec{3, -1, 0, 2, 2, 5});
  EXPECT_EQ(EigenvaluesAbove(diagonal, 1), 4u);
  EXPECT_EQ(EigenvaluesAbove(diagonal, -0.5), 5u);
  EXPECT_EQ(EigenvaluesAbove(diagonal, 10), 0u);
  EXPECT_EQ(EigenvaluesAbove(arma::mat(1, 1, arma::fill::value(2.0)), 1), 1u);
}

TEST(EigenvaluesAbove, HoldsForMatricesThatAreNotDefinite) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const arma::mat half = Numbers(9, 9, seed);
    const arma::mat symmetric = half + half.t();
    EXPECT_EQ(EigenvaluesAbove(symmetric, 0.25), arma::accu(arma::eig_sym(symmetric) > 0.25));
  }
}

}  // namespace
}  // namespace tensorguard::internal
