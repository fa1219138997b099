// How alike two models are in the frames of their own weights.
#ifndef TENSORGUARD_FRAME_FRAME_COMPARISON_H_
#define TENSORGUARD_FRAME_FRAME_COMPARISON_H_

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "frame/frame_forms.h"

namespace tensorguard::internal {

// Two layers of which one half each (attention, or feed-forward) is taken for the other's
// counterpart.
struct FrameMatch {
  size_t layer_a = 0;  // indices in FrameForms::layers
  size_t layer_b = 0;
  double cosine =
      0;  // mean over the half's forms, read under a map that was fitted on other layers
};

struct FrameComparison {
  // Mean cosine of the matched halves, each read under a map of the frames fitted on other layers.
  double score = 0;
  // Of the same readings between layers that are not matched: what these two models share in any
  // layer.
  double null_mean = 0;
  double null_deviation = 0;
  // One-sided: that layers matched at random read as high. Cautious, never 0.
  double p_value = 1;
  std::vector<FrameMatch> attention = {};
  std::vector<FrameMatch> feed_forward = {};
};

// Empty where one of the two has no frame, or too few layers to fit and to read apart.
// CompareFrames(a, b) and (b, a) give the same score. Thread-safe.
std::optional<FrameComparison> CompareFrames(const FrameForms& a, const FrameForms& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_FRAME_COMPARISON_H_
