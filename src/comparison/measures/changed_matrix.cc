#include "comparison/measures/changed_matrix.h"

#include <algorithm>
#include <cmath>

#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"

namespace tensorguard::internal {
namespace {

double NormOf(const FloatMatrix& sketch) {
  double squares = 0;
  for (const float value : sketch.values()) squares += double{value} * value;
  return std::sqrt(squares);
}

// The same but for a factor.
bool IsScaled(const SketchPair& pair, const WeightSummary& in_a, const WeightSummary& in_b) {
  const double residual = std::sqrt(std::max(0.0, 2 * (1 - pair.cosine)));
  return residual <= kScaledResidual && std::abs(RatioOfNorms(in_a, in_b) - 1) > kLeastFactor;
}

// The same but for a constant d in all n elements: of rank one, as large as d makes it, and the
// norm grew by 2 d n mean + n d^2 exactly.
bool IsShifted(const ChangedMatrix& matrix) {
  const WeightSummary& in_a = *matrix.in_a;
  const WeightSummary& in_b = *matrix.in_b;
  if (matrix.spectrum.rank != 1) return false;
  const double elements = static_cast<double>(in_a.rows) * static_cast<double>(in_a.columns);
  const double shift = in_b.mean - in_a.mean;
  const double energy = elements * shift * shift;
  const double grown = in_b.norm * in_b.norm - in_a.norm * in_a.norm;
  const double expected = 2 * shift * elements * in_a.mean + energy;
  if (std::abs(grown - expected) > kShiftResidual * energy) return false;
  const double change = matrix.pair->relative_change;
  const double seen = change * change * in_a.norm * in_b.norm;
  return seen <= kRankOneSketched * energy && energy <= kRankOneSketched * seen;
}

}  // namespace

double RatioOfNorms(const WeightSummary& in_a, const WeightSummary& in_b) {
  return in_b.norm / in_a.norm;
}

bool IsRounded(const SketchPair& pair, const WeightSummary& in_a, const WeightSummary& in_b) {
  return in_a.dtype != in_b.dtype &&
         pair.relative_change <= std::max(UnitRoundoff(in_a.dtype), UnitRoundoff(in_b.dtype));
}

Changes ChangesOf(const Fingerprint& a, const Fingerprint& b, const SketchComparison& sketches) {
  Changes changes;
  for (const SketchPair& pair : sketches.pairs) {
    const WeightSummary& weight = a.weights[pair.weights.in_a];
    const WeightSummary& other = b.weights[pair.weights.in_b];
    if (!pair.learned || pair.equal) continue;
    const bool rounded = IsRounded(pair, weight, other);
    const double ratio = NormOf(other.sketch) / NormOf(weight.sketch);
    ChangedMatrix matrix{.pair = &pair,
                         .in_a = &weight,
                         .in_b = &other,
                         .role = weight.role.role,
                         .large = std::min(weight.rows, weight.columns) >= 2 * kSketchSize,
                         .rows = weight.rows,
                         .spectrum = {},
                         .kept_in_b = pair.cosine * ratio,
                         .kept_in_a = pair.cosine / ratio};
    if (rounded) {
      changes.rounded.push_back(matrix);
    } else if (pair.relative_change <= kUnchanged) {
      changes.nearly.push_back(matrix);
    } else if (IsScaled(pair, weight, other)) {
      changes.scaled.push_back(matrix);
    } else {
      matrix.spectrum = SpectrumOfChange(weight, other);
      (IsShifted(matrix) ? changes.shifted : changes.changed).push_back(matrix);
    }
  }
  return changes;
}

}  // namespace tensorguard::internal
