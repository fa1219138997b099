#include "independence/statistics/kolmogorov_smirnov.h"

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {
namespace {

// P(K >= x) of Kolmogorov's distribution.
double KolmogorovTail(double x) {
  if (x < 0.2) return 1.0;  // the sum below converges slowly there; the tail is 1 to 12 digits
  double sum = 0.0;
  for (int k = 1; k <= 100; ++k) {
    const double term = std::exp(-2.0 * k * k * x * x);
    sum += k % 2 == 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return std::clamp(2.0 * sum, 0.0, 1.0);
}

}  // namespace

UniformityTest TestUniformity(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  UniformityTest test;
  for (size_t i = 0; i < values.size(); ++i) {
    const double below = static_cast<double>(i) / count;
    const double up_to = static_cast<double>(i + 1) / count;
    test.distance = std::max({test.distance, values[i] - below, up_to - values[i]});
  }
  const double root = std::sqrt(count);
  test.p_value = KolmogorovTail((root + 0.12 + 0.11 / root) * test.distance);
  return test;
}

}  // namespace tensorguard::internal
