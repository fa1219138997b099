#include "comparison/direction/weight_course.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kFewestMatrices = 3;

// Deviations below this are the rounding of sketches.
constexpr double kLeastDeviation = 1e-5;

double DeviationOf(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  return std::max(kLeastDeviation, std::sqrt(std::max(0.0, squares / count - mean * mean)));
}

}  // namespace

double WeightCourse::Growth() const {
  return squared_distance > 0 ? (squared_norm_b - squared_norm_a) / squared_distance : 0;
}

double WeightCourse::Change() const {
  return squared_distance / std::sqrt(squared_norm_a * squared_norm_b);
}

std::optional<WeightCourse> CourseOf(const Fingerprint& a, const Fingerprint& b,
                                     const SketchComparison& sketches) {
  WeightCourse course;
  std::vector<double> held_by_b;
  std::vector<double> held_by_a;
  for (const SketchPair& pair : sketches.pairs) {
    if (!pair.learned || pair.cosine < kBasisLostCosine) continue;
    const double norm_a = a.weights[pair.weights.in_a].norm;
    const double norm_b = b.weights[pair.weights.in_b].norm;
    if (norm_a <= 0 || norm_b <= 0) continue;
    const double aa = norm_a * norm_a;
    const double bb = norm_b * norm_b;
    const double distance = pair.relative_change * pair.relative_change * norm_a * norm_b;
    const double product = (aa + bb - distance) / 2;
    held_by_b.push_back(product / aa);
    held_by_a.push_back(product / bb);
    course.squared_norm_a += aa;
    course.squared_norm_b += bb;
    course.squared_distance += distance;
    ++course.matrices;
  }
  if (course.matrices < kFewestMatrices || course.Change() <= kUnchanged * kUnchanged) return {};
  course.whole = course.matrices == LearnedMatrices(a) && course.matrices == LearnedMatrices(b);
  course.evenness = std::log(DeviationOf(held_by_a) / DeviationOf(held_by_b));
  return course;
}

}  // namespace tensorguard::internal
