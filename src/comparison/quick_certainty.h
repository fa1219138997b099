// How far the comparison of a part of a model can be trusted to be that of the whole.
#ifndef TENSORGUARD_COMPARISON_QUICK_CERTAINTY_H_
#define TENSORGUARD_COMPARISON_QUICK_CERTAINTY_H_

#include <cstddef>
#include <optional>

namespace tensorguard::internal {

struct QuickCertainty {
  size_t kernels = 0;   // compared, of all layers together
  size_t matrices = 0;  // whose sketches were compared
  // Of the related pairs of docs/calibration.md#quick-answers that had as many kernels, 19 of 20
  // had a full score that differs by no more than this. 1: nothing can be said.
  double score_error = 1;
  // Enough was read, and the score is further than its error from where the verdict would change
  // between related and unrelated.
  bool decided = false;
};

// Both counts are what the comparison used, not what was read. Without kernels there is a score
// only if the sketches show a common origin; a comparison without a score is never decided.
QuickCertainty CertaintyOf(size_t kernels, size_t matrices, std::optional<double> score);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_QUICK_CERTAINTY_H_
