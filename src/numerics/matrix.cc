#include "numerics/matrix.h"

#include <cmath>

namespace tensorguard::internal {

double Distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

size_t NearestRow(const Matrix& matrix, std::span<const double> point) {
  size_t nearest = 0;
  double nearest_distance = Distance(matrix.Row(0), point);
  for (size_t row = 1; row < matrix.rows(); ++row) {
    const double distance = Distance(matrix.Row(row), point);
    if (distance >= nearest_distance) continue;
    nearest = row;
    nearest_distance = distance;
  }
  return nearest;
}

}  // namespace tensorguard::internal
