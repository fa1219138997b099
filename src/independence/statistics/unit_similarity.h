// Linear algebra on unit vectors (columns), split over threads with the same bits for any number.
#ifndef TENSORGUARD_INDEPENDENCE_STATISTICS_UNIT_SIMILARITY_H_
#define TENSORGUARD_INDEPENDENCE_STATISTICS_UNIT_SIMILARITY_H_

#include <armadillo>

namespace tensorguard::internal {

// left^T right, cut into blocks of columns by shape alone. threads 0: one per processor.
// REQUIRES: left.n_rows == right.n_rows.
arma::fmat TransposedProduct(const arma::fmat& left, const arma::fmat& right, unsigned threads);

// product += left^T right, cut in the same way. With kLower (REQUIRES: left and right are the same)
// what lies above the diagonal is unspecified, and left out where that saves time.
// REQUIRES: left.n_rows == right.n_rows; the product's shape.
enum class Triangle { kWhole, kLower };
void AddTransposedProduct(const arma::fmat& left, const arma::fmat& right, Triangle triangle,
                          arma::fmat* product, unsigned threads);

// Columns made from ones of length one (or zero), back at length one. What is left shorter than
// 1e-5 is rounding noise and becomes zero, so that its cosines are 0.
arma::fmat AtUnitLength(arma::fmat columns);

// The columns of `dependent` less what a ridge regression on those of `regressor` predicts of them
// (same units, column by column; penalty 0.03 of the regressor's mean eigenvalue). Within one
// trained network what a unit multiplies with and what it writes are related, alike in
// independently trained networks; this removes the linear part of it. The regressor may have any
// number of rows, so that it can keep the full width while `dependent` is in a narrower space.
// REQUIRES: as many columns in both.
arma::fmat WithoutPredictable(const arma::fmat& dependent, const arma::fmat& regressor,
                              unsigned threads);

// The coefficients of that regression (rows of the regressor x rows of the dependents) from
// gram = regressor regressor^T, of which only the lower triangle is read, and
// cross = regressor dependent^T. Empty where nothing can be predicted.
arma::fmat RidgeCoefficients(arma::fmat gram, const arma::fmat& cross, unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STATISTICS_UNIT_SIMILARITY_H_
