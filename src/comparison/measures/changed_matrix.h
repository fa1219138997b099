// The matrices that two models do not have in common number for number, by what was done to each.
#ifndef TENSORGUARD_COMPARISON_MEASURES_CHANGED_MATRIX_H_
#define TENSORGUARD_COMPARISON_MEASURES_CHANGED_MATRIX_H_

#include <vector>

#include "comparison/alignment/sketch_comparison.h"
#include "comparison/measures/change_spectrum.h"

namespace tensorguard::internal {

struct ChangedMatrix {
  const SketchPair* pair;
  const WeightSummary* in_a;
  const WeightSummary* in_b;
  Role role;
  bool large;  // sketched without empty rows, so that its spectrum means something
  uint64_t rows;
  ChangeSpectrum spectrum;
  double kept_in_b;  // of the one in a, what the one in b holds: <a, b> / <a, a>
  double kept_in_a;
};

// Every matrix that is not the same is in one of these.
struct Changes {
  std::vector<ChangedMatrix> changed;
  std::vector<ChangedMatrix> scaled;   // the same but for a factor; no spectrum
  std::vector<ChangedMatrix> shifted;  // the same but for a constant that was added
  std::vector<ChangedMatrix> rounded;  // by no more than the other stored type makes; no spectrum
  std::vector<ChangedMatrix> nearly;   // by less than sketches measure, but not the same; likewise
};

// Of learned matrices. REQUIRES: a, b and the pairs outlive what is returned.
Changes ChangesOf(const Fingerprint& a, const Fingerprint& b, const SketchComparison& sketches);

// Stored in another type, and changed by no more than that makes.
bool IsRounded(const SketchPair& pair, const WeightSummary& in_a, const WeightSummary& in_b);

// One in b over one in a.
double RatioOfNorms(const WeightSummary& in_a, const WeightSummary& in_b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MEASURES_CHANGED_MATRIX_H_
