#include "comparison/quick_certainty.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

struct MeasuredError {
  size_t fewest_kernels;
  double score_error;
};

// docs/calibration.md#quick-answers: measured by bench/quick_accuracy on related pairs, the harder
// ones, and rounded up.
constexpr std::array kMeasured = std::to_array<MeasuredError>({
    {12, 0.04},
    {1, 0.09},
    {0, 0.15},
});

}  // namespace

QuickCertainty CertaintyOf(size_t kernels, size_t matrices, std::optional<double> score) {
  QuickCertainty certainty = {.kernels = kernels, .matrices = matrices};
  const auto measured =
      std::find_if(kMeasured.begin(), kMeasured.end(),
                   [&](const MeasuredError& row) { return kernels >= row.fewest_kernels; });
  if (measured == kMeasured.end() || !score) return certainty;
  certainty.score_error = measured->score_error;
  certainty.decided = *score - certainty.score_error >= kDerivedScore ||
                      *score + certainty.score_error <= kIndependentScore;
  return certainty;
}

}  // namespace tensorguard::internal
