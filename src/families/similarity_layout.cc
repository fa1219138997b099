#include "families/similarity_layout.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace tensorguard::internal {
namespace {

using Point = std::array<double, 2>;

constexpr int kRounds = 300;

// Families on a circle in their order; members beside each other, so that no two points are one.
std::vector<Point> StartOnCircle(std::span<const size_t> family_of_model) {
  size_t families = 1;
  for (const size_t family : family_of_model) families = std::max(families, family + 1);
  std::vector<size_t> members(families);
  std::vector<Point> points;
  for (const size_t family : family_of_model) {
    const double angle =
        2 * std::numbers::pi * static_cast<double>(family) / static_cast<double>(families) +
        0.01 * static_cast<double>(members[family]);
    const double radius = 1 + 0.01 * static_cast<double>(members[family]++);
    points.push_back({radius * std::cos(angle), radius * std::sin(angle)});
  }
  return points;
}

// Where the others want `model` to be: the mean of the places at the right distance from each.
Point Pulled(const SimilarityMatrix& similarities, const std::vector<Point>& points, size_t model) {
  Point sum = {};
  double count = 0;
  for (size_t other = 0; other < points.size(); ++other) {
    const auto score = similarities.Score(model, other);
    if (other == model || !score) continue;
    const double wanted = std::sqrt(2 * std::max(0.0, 1 - *score));
    const double dx = points[model][0] - points[other][0];
    const double dy = points[model][1] - points[other][1];
    const double distance = std::hypot(dx, dy);
    const double stretch = distance > 0 ? wanted / distance : 0;
    sum[0] += points[other][0] + stretch * dx;
    sum[1] += points[other][1] + stretch * dy;
    ++count;
  }
  if (count == 0) return points[model];
  return {sum[0] / count, sum[1] / count};
}

}  // namespace

std::vector<Point> LayOutModels(const SimilarityMatrix& similarities,
                                std::span<const size_t> family_of_model) {
  assert(family_of_model.size() == similarities.model_names().size());
  std::vector<Point> points = StartOnCircle(family_of_model);
  for (int round = 0; round < kRounds; ++round) {
    for (size_t model = 0; model < points.size(); ++model) {
      points[model] = Pulled(similarities, points, model);
    }
  }
  return points;
}

}  // namespace tensorguard::internal
