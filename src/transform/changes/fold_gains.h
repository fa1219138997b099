// Gains moved out of the norms.
#ifndef TENSORGUARD_TRANSFORM_CHANGES_FOLD_GAINS_H_
#define TENSORGUARD_TRANSFORM_CHANGES_FOLD_GAINS_H_

#include <armadillo>

#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

// Column i times or divided by factors[i]. REQUIRES: as many factors as columns.
void MultiplyColumns(arma::fmat& matrix, const arma::fvec& factors);
void DivideColumns(arma::fmat& matrix, const arma::fvec& factors);

// Gives a tied model an output head of its own, equal to the embedding.
void Untie(Decoder& model);

// Sets every gain in front of a matrix to one and multiplies the matrix; the head is untied for
// that. Errors: kUnsupported where a norm on what a layer writes has a gain that differs from
// column to column: no matrix follows it.
Result<void> FoldAllGains(Decoder& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_CHANGES_FOLD_GAINS_H_
