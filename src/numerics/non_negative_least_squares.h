// min ||A x - y|| with x >= 0.
#ifndef TENSORGUARD_NUMERICS_NON_NEGATIVE_LEAST_SQUARES_H_
#define TENSORGUARD_NUMERICS_NON_NEGATIVE_LEAST_SQUARES_H_

#include <armadillo>

namespace tensorguard::internal {

// `gram` is A^T A, `correlations` A^T y. Lawson and Hanson, Solving Least Squares Problems (1974),
// algorithm NNLS in chapter 23, on the normal equations. REQUIRES: gram square, symmetric.
arma::vec SolveNonNegative(const arma::mat& gram, const arma::vec& correlations);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_NON_NEGATIVE_LEAST_SQUARES_H_
