// A change since an origin as a sum of other changes: the fit, and how even it is over the
// matrices.
#ifndef TENSORGUARD_FAMILIES_MERGES_CHANGE_FIT_H_
#define TENSORGUARD_FAMILIES_MERGES_CHANGE_FIT_H_

#include <armadillo>
#include <cstddef>
#include <optional>
#include <vector>

#include "families/lineage/kinship.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// How unevenly over the matrices a change holds an earlier one, over the size of what of it is
// other: up to 0.055 where numbers were dropped, trimmed or rounded, 0.085 and more after training;
// and how unevenly this other lies over the matrices: up to 0.38 where numbers were dropped.
inline constexpr double kEvenerThanTraining = 0.07;
inline constexpr double kMostUnevenDropped = 0.4;

// Inner products of the changes of models since an origin. The child is the first of `models`.
class ChangeProducts {
 public:
  // `stored`: of each learned matrix the tensor of the child's file that holds it, from 0 on; those
  // of one tensor count as one, since tools merge tensor by tensor. REQUIRES: all of one build, as
  // BuildClassesOf has them.
  ChangeProducts(std::vector<size_t> models, size_t origin, const std::vector<size_t>& stored,
                 const Kinships& kinships);

  const arma::mat& total() const { return total_; }
  const std::vector<arma::mat>& by_matrix() const { return by_matrix_; }
  size_t size() const { return models_.size(); }
  size_t model(size_t place) const { return models_[place]; }
  double Cosine(size_t place, size_t other) const;

 private:
  std::vector<size_t> models_;
  arma::mat total_ = {};
  std::vector<arma::mat> by_matrix_ = {};
};

struct ChangeFit {
  std::vector<size_t> members;  // places in ChangeProducts
  arma::vec weights;
  arma::vec errors;      // standard errors of the weights
  double explained = 0;  // share of the child's squared change
};

// Of each learned matrix the tensor of the file that holds it, counted from 0.
std::vector<size_t> StoredTensorsOf(const Fingerprint& model);

// Least squares over all matrices. Empty where the members do not differ.
std::optional<ChangeFit> FitTo(const ChangeProducts& changes, const std::vector<size_t>& members);

// Each weight is one that a merge may have, and beyond chance among all candidates (Bonferroni).
bool IsSupported(const ChangeProducts& changes, const ChangeFit& fit);

// The weights, their ratios, or what is left over are the same in every matrix.
bool IsEven(const ChangeProducts& changes, const ChangeFit& fit);
bool RestIsEven(const ChangeProducts& changes, const ChangeFit& fit);
bool WeightsAreEven(const ChangeProducts& changes, const ChangeFit& fit);

// Of one parent: what the child holds of it, or what is left over, is the same part in every
// matrix, more than any training leaves it.
bool IsThinned(const ChangeProducts& changes, const ChangeFit& fit);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MERGES_CHANGE_FIT_H_
