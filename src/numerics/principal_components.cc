#include "numerics/principal_components.h"

#include <algorithm>
#include <armadillo>
#include <cmath>

namespace tensorguard::internal {
namespace {

// Summed in the order of the rows: a BLAS product would depend on the number of threads. What is
// left for LAPACK has one row per feature, too small for threads.
arma::mat CovarianceOf(const Matrix& points) {
  arma::mat covariance(points.columns(), points.columns(), arma::fill::zeros);
  for (size_t i = 0; i < points.rows(); ++i) {
    const auto row = points.Row(i);
    for (size_t a = 0; a < row.size(); ++a) {
      for (size_t b = 0; b < row.size(); ++b) covariance(a, b) += row[a] * row[b];
    }
  }
  return covariance / static_cast<double>(points.rows());
}

// An eigenvector's sign is free: the largest entry, the first of nearly equal ones, is positive.
std::vector<double> WithFixedSign(const arma::vec& direction) {
  constexpr double kNearlyEqual = 1 - 1e-9;
  const double largest = arma::abs(direction).max();
  std::vector<double> fixed(direction.begin(), direction.end());
  const auto leading = std::find_if(fixed.begin(), fixed.end(), [&](double entry) {
    return std::abs(entry) >= kNearlyEqual * largest;
  });
  if (*leading < 0) {
    for (double& entry : fixed) entry = -entry;
  }
  return fixed;
}

}  // namespace

Result<PrincipalPlane> FindPrincipalPlane(const Matrix& points) {
  arma::vec variances;  // ascending
  arma::mat directions;
  const arma::mat covariance = CovarianceOf(points);
  if (!arma::eig_sym(variances, directions, covariance)) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "the principal components of these models cannot be computed"};
  }
  PrincipalPlane plane;
  const double total = arma::trace(covariance);
  for (size_t axis = 0; axis < 2; ++axis) {
    const arma::uword column = directions.n_cols - 1 - axis;
    plane.directions[axis] = WithFixedSign(directions.col(column));
    plane.explained[axis] = total > 0 ? std::max(0.0, variances(column)) / total : 0;
  }
  for (size_t i = 0; i < points.rows(); ++i) {
    plane.coordinates.push_back(ProjectOnto(plane, points.Row(i)));
  }
  return plane;
}

PlanePoint ProjectOnto(const PrincipalPlane& plane, std::span<const double> point) {
  PlanePoint projected = {};
  for (size_t axis = 0; axis < 2; ++axis) {
    for (size_t i = 0; i < point.size(); ++i) {
      projected[axis] += point[i] * plane.directions[axis][i];
    }
  }
  return projected;
}

}  // namespace tensorguard::internal
