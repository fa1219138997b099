// Which layer of the one model became which of the other.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_LAYER_ALIGNMENT_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_LAYER_ALIGNMENT_H_

#include <cstddef>
#include <vector>

#include "comparison/alignment/kernel_similarity.h"

namespace tensorguard::internal {

struct AlignedLayers {
  size_t row = 0;
  size_t column = 0;
  double similarity = 0;  // mean cosine of the kernels both have
};

// What layers that do not belong together score on these anchors: the internal null.
struct OffPath {
  size_t pairs = 0;
  double mean = 0;
  double standard_deviation = 0;
  double highest = 0;
};

struct LayerAlignment {
  std::vector<AlignedLayers> path = {};  // both indices rise strictly; similarities are positive
  double score = 0;       // sum of the similarities over the depth of the shallower model
  OffPath off_path = {};  // all pairs that are not on the path
};

// The highest sum of cosines that a monotone alignment reaches for what the mixers answer and for
// what the feed-forwards answer, each on its own, over the depth of the shallower model; a layer
// counts by its kernels, as in AlignLayers. Where the halves of layers lie apart in one of the
// models (layers split in two), this is what layers as a whole hide; else it is
// LayerAlignment::score, or a little more, as each half chooses for itself.
double ScoreOfHalves(const LayerSimilarity& similarity);

// The monotone alignment with the highest sum of similarities (dynamic programming as in Needleman
// and Wunsch 1970, gaps for free). Layers may be left out on either side. All zero if either side
// has no layer.
LayerAlignment AlignLayers(const LayerSimilarity& similarity);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_LAYER_ALIGNMENT_H_
