// The singular values of the difference of two weights, as their sketches show it.
#ifndef TENSORGUARD_COMPARISON_CHANGE_SPECTRUM_H_
#define TENSORGUARD_COMPARISON_CHANGE_SPECTRUM_H_

#include <cstddef>
#include <vector>

#include "full_profile/full_fingerprint.h"

namespace tensorguard {

struct ChangeSpectrum {
  // Singular values above what rounding of the weights and sketches makes.
  size_t rank = 0;
  // The highest rank that these shapes and probes would show.
  size_t full_rank = 0;
  double effective_rank = 0;  // (sum s^2)^2 / sum s^4; 0 for no change
  // Of the rows' side: what the change writes to, up to sign, if its rank is 1. Comparable between
  // weights with the same number of rows.
  std::vector<double> first_direction = {};
};

// A change of rank r has a sketch of rank r, up to the number of probes (S and X have full rank
// almost surely). REQUIRES: sketches of the same size, of matrices of one shape.
ChangeSpectrum SpectrumOfChange(const WeightSummary& a, const WeightSummary& b);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_CHANGE_SPECTRUM_H_
