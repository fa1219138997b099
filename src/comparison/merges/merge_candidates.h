// A model and those that it may have been merged from, as products of their differences.
#ifndef TENSORGUARD_COMPARISON_MERGES_MERGE_CANDIDATES_H_
#define TENSORGUARD_COMPARISON_MERGES_MERGE_CANDIDATES_H_

#include <armadillo>
#include <cstddef>
#include <span>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Candidates that have all matrices of the child in its shapes, none equal to it or to one before.
struct MergeCandidates {
  std::vector<size_t> index = {};  // in the caller's list
  // Products of the differences candidate - child, each matrix in units of the child's norm; the
  // diagonal holds squared distances. Over all matrices, and of each. The last row and column are
  // those of a model of zeros, which is no candidate: with it weights need not sum to 1.
  arma::mat products = {};
  std::vector<arma::mat> by_matrix = {};
  std::vector<double> squared_norms = {};  // of the candidates' matrices, as stored
  double child_squared_norm = 0;
  double matrices = 0;  // the squared norm of the child in these units

  size_t zero() const { return index.size(); }
};

MergeCandidates ComparableCandidates(const Fingerprint& child,
                                     std::span<const Fingerprint* const> candidates);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MERGES_MERGE_CANDIDATES_H_
