#include "comparison/alignment/sketch_products.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Interleaved sums that the compiler keeps in vector lanes.
SketchProducts ProductsOf(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kLanes = 4;
  std::array<SketchProducts, kLanes> lanes;
  const auto add = [&](size_t lane, size_t i) {
    const double x = a[i];
    const double y = b[i];
    lanes[lane].aa += x * x;
    lanes[lane].bb += y * y;
    lanes[lane].ab += x * y;
  };
  const size_t whole = a.size() - a.size() % kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
  }
  for (size_t i = whole; i < a.size(); ++i) add(0, i);
  SketchProducts sums;
  for (const SketchProducts& lane : lanes) {
    sums.aa += lane.aa;
    sums.bb += lane.bb;
    sums.ab += lane.ab;
  }
  return sums;
}

double CosineOf(const SketchProducts& products) {
  if (products.aa == 0 && products.bb == 0) return 1;
  if (products.aa == 0 || products.bb == 0) return 0;
  return products.ab / std::sqrt(products.aa * products.bb);
}

double RelativeChangeOf(const SketchProducts& products) {
  if (products.aa == 0 && products.bb == 0) return 0;
  if (products.aa == 0 || products.bb == 0) return 1;
  const double squared = std::max(0.0, products.aa + products.bb - 2 * products.ab);
  return std::sqrt(squared / std::sqrt(products.aa * products.bb));
}

double IndependentDeviation(uint64_t rows, uint64_t columns) {
  const auto kept = [](uint64_t length) {
    const auto n = static_cast<double>(length);
    return n * kSketchSize / (n + kSketchSize);
  };
  return 1 / std::sqrt(kept(rows) * kept(columns));
}

}  // namespace tensorguard::internal
