// The two directions in which a population varies most, for drawing it.
#ifndef TENSORGUARD_NUMERICS_PRINCIPAL_COMPONENTS_H_
#define TENSORGUARD_NUMERICS_PRINCIPAL_COMPONENTS_H_

#include <array>
#include <span>
#include <vector>

#include "numerics/matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

using PlanePoint = std::array<double, 2>;

struct PrincipalPlane {
  std::array<std::vector<double>, 2> directions;  // unit vectors; the largest entry is positive
  std::array<double, 2> explained = {};           // share of the total variance, in [0, 1]
  std::vector<PlanePoint> coordinates;            // of the rows, in their order
};

// REQUIRES: every column of `points` has mean 0 (a standardised FeatureMatrix), two columns at
// least. Errors: kMismatch if the eigenvalues cannot be computed.
Result<PrincipalPlane> FindPrincipalPlane(const Matrix& points);

// Where another point of the same scale lies in the plane.
PlanePoint ProjectOnto(const PrincipalPlane& plane, std::span<const double> point);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_PRINCIPAL_COMPONENTS_H_
