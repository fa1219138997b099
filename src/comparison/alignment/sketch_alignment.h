// Which half of a layer of the one model is which of the other, by the weights alone: in any order,
// any number of times, attention and feed-forward apart.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_ALIGNMENT_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_ALIGNMENT_H_

#include <map>
#include <span>

#include "comparison/alignment/sketch_cosines.h"
#include "comparison/weight_pairs.h"
#include "roles/half_layer.h"

namespace tensorguard::internal {

struct HalfCounterpart {
  HalfPlace place = {};
  double z = 0;        // of the matrices' cosines together against what unrelated layers have
  bool equal = false;  // every matrix of the half that has a counterpart there is equal to it
};

struct SketchAlignment {
  // Halves whose counterpart stands out; others are absent. Two may have the same counterpart.
  std::map<HalfPlace, HalfCounterpart> a_to_b = {};
  std::map<HalfPlace, HalfCounterpart> b_to_a = {};
};

// A counterpart is the half whose matrices are nearest, if they are nearer than chance finds among
// all of the other model's halves (kHalfZ). Of equally near ones (repeated layers) that with the
// same index, then the first.
SketchAlignment AlignBySketches(const Fingerprint& a, const Fingerprint& b,
                                std::span<const KindCosines> cosines);

// The layers of `a` with the counterpart of their mixer, or else of their feed-forward; of both, if
// they disagree, that which stands out more. Layers without a counterpart go with those of their
// own index, if that is nobody's. Empty where nothing stands out.
LayerMap LayersOf(const SketchAlignment& alignment, const Fingerprint& a, const Fingerprint& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_ALIGNMENT_H_
