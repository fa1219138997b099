// How the weights of two models in one basis lie to each other and to zero.
#ifndef TENSORGUARD_COMPARISON_DIRECTION_WEIGHT_COURSE_H_
#define TENSORGUARD_COMPARISON_DIRECTION_WEIGHT_COURSE_H_

#include <cstddef>
#include <optional>

#include "comparison/alignment/sketch_comparison.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Of learned matrices that have a counterpart and are not wholly another's. Norms are exact,
// distances are those of the sketches.
struct WeightCourse {
  size_t matrices = 0;
  bool whole = false;  // every learned matrix of both models is among them
  double squared_norm_a = 0;
  double squared_norm_b = 0;
  double squared_distance = 0;
  // ln of how unevenly the matrices of b are held by those of a, over how unevenly those of a are
  // held by those of b. Positive where b is a times one factor, as weight decay makes it, and
  // something at right angles to a in each matrix.
  double evenness = 0;

  // (|b|^2 - |a|^2) / |b - a|^2: near 1 where b is a and steps at right angles to it, near -1 the
  // other way round, anything between for two that were trained from one; -1 exactly where b is a
  // projection of a. 0 where nothing changed.
  double Growth() const;
  // |b - a|^2 / (|a| |b|).
  double Change() const;
};

// Empty where fewer than three matrices can be compared, or nothing in them changed.
std::optional<WeightCourse> CourseOf(const Fingerprint& a, const Fingerprint& b,
                                     const SketchComparison& sketches);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_DIRECTION_WEIGHT_COURSE_H_
