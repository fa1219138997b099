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

// What the units of the feed-forwards say (unit_comparison.h).
struct UnitComparison {
  double score = 0;  // mean over the layers of the shallower model, each with its nearest
  double best = 0;   // of all layers
  double off = 0;    // mean over layers of which neither is the other's nearest
  // The nearest of each layer; empty where no layer promised anything. `cosine` is UnitAgreement.
  std::vector<FrameMatch> of_a = {};
  std::vector<FrameMatch> of_b = {};
  // Of each layer of a, the nearest attention by its forms, under the map that the units gave.
  std::vector<FrameMatch> attention = {};
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
  std::optional<UnitComparison> units = {};  // empty: no two layers have units to compare
};

// Tokens that both models have: rows of FrameForms::token_inputs and token_outputs, in parallel.
struct CommonTokens {
  std::vector<size_t> in_a = {};
  std::vector<size_t> in_b = {};
};

// Empty where one of the two has no frame, or too few layers to fit and to read apart.
// CompareFrames(a, b) and (b, a) give the same score. Tokens help to find the map under which units
// are compared, and decide nothing themselves. Thread-safe.
std::optional<FrameComparison> CompareFrames(const FrameForms& a, const FrameForms& b,
                                             const CommonTokens& tokens = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_FRAME_COMPARISON_H_
