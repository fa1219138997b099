// How alike the weights of two models are as they stand, from their linear sketches.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COMPARISON_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COMPARISON_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "comparison/alignment/common_anchors.h"
#include "comparison/alignment/sketch_cosines.h"
#include "comparison/weight_pairs.h"

namespace tensorguard::internal {

// Two weights of one shape.
struct SketchPair {
  WeightPair weights;
  double cosine = 0;  // estimates that of the weights; 0 if one is all zero, 1 if both are
  // ||B - A|| over the geometric mean of their norms, estimated likewise. 0 for equal digests.
  double relative_change = 0;
  bool equal = false;    // the same numbers, by digest
  bool learned = false;  // counts for the cosine of the models; see IsLearnedMatrix. Not all zero
};

// Vocabulary tables, on the rows of the anchors that both models have.
struct VocabularyPair {
  double cosine = 0;  // of the rows freed of their mean, which points the same way in any model
  double relative_change = 0;
};

struct SketchComparison {
  std::vector<SketchPair> pairs = {};  // weights of one shape, in the order of a.weights
  std::optional<VocabularyPair> embedding = {};
  std::optional<VocabularyPair> head = {};
  // The rest is over learned matrices, the experts of a layer taken together; `parts` of them.
  size_t parts = 0;
  double cosine = 0;  // mean; 0 where parts is 0
  // Matrices of one role and shape from layers that do not belong together: what structure the two
  // models have in common in any layer.
  size_t null_pairs = 0;
  double null_mean = 0;  // of their cosines; 0 for too few pairs
  // Of their cosines over IndependentDeviation, at least 1; a cautious value for too few pairs.
  double null_deviation = 1;
  double z = 0;                  // of the cosine against the null
  double p_value = 1;            // one-sided, normal
  double outstanding_share = 0;  // of the parts, those three deviations above the null
  double copied_share = 0;       // of the parts, those that are the other model's, hardly changed
};

// Sketches of the weights in layers that `layers` maps to each other.
SketchComparison CompareSketches(const Fingerprint& a, const Fingerprint& b, const LayerMap& layers,
                                 const CommonAnchors& anchors);
// The same; `cosines` are CosinesOfLayers(a, b), which every pairing of the layers shares.
SketchComparison CompareSketches(const Fingerprint& a, const Fingerprint& b, const LayerMap& layers,
                                 const CommonAnchors& anchors,
                                 std::span<const KindCosines> cosines);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COMPARISON_H_
