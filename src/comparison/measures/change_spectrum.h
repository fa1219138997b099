// The singular values of the difference of two weights, as their sketches show it.
#ifndef TENSORGUARD_COMPARISON_MEASURES_CHANGE_SPECTRUM_H_
#define TENSORGUARD_COMPARISON_MEASURES_CHANGE_SPECTRUM_H_

#include <armadillo>
#include <cstddef>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct ChangeSpectrum {
  // Singular values above what rounding of the weights and sketches makes.
  size_t rank = 0;
  // The highest rank that these shapes and probes would show.
  size_t full_rank = 0;
  double effective_rank = 0;  // (sum s^2)^2 / sum s^4; 0 for no change
};

// A change of rank r has a sketch of rank r, up to the number of probes (S and X have full rank
// almost surely). REQUIRES: sketches of the same size, of matrices of one shape.
ChangeSpectrum SpectrumOfChange(const WeightSummary& a, const WeightSummary& b);

// The first singular vector of the rows' side: what a change of rank 1 writes to, up to sign.
// Comparable between weights with the same number of rows. Empty for no change.
// REQUIRES: as for SpectrumOfChange.
std::vector<double> FirstDirectionOfChange(const WeightSummary& a, const WeightSummary& b);

// How many eigenvalues of a symmetric matrix exceed `threshold`: those that are not counted by
// Sturm's sequence of its tridiagonal form (Householder's reduction; Golub and Van Loan, Matrix
// Computations, 8.3 and 8.4), which costs a fraction of finding them.
size_t EigenvaluesAbove(arma::mat symmetric, double threshold);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MEASURES_CHANGE_SPECTRUM_H_
