// Which known models a model was merged from, and with what weights.
#ifndef TENSORGUARD_COMPARISON_MERGES_MERGE_PARENTS_H_
#define TENSORGUARD_COMPARISON_MERGES_MERGE_PARENTS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct MergeParent {
  size_t candidate = 0;  // index in the candidates
  // Of a mixture positive, and the weights sum to 1; of pieces the share of the matrices; of
  // increments what they were multiplied by, which may be negative.
  double weight = 0;
  // Standard error of a weight, from the numbers that the sketches of all matrices hold; empty of
  // pieces.
  std::optional<double> error = {};
};

enum class MergeForm {
  kMixture,     // weighted sums of matrices, of one weight or of one a matrix
  kPieces,      // whole matrices of several models
  kIncrements,  // what others changed since an origin, added to it
};

struct MergeExplanation {
  MergeForm form = MergeForm::kMixture;
  std::vector<MergeParent> parents = {};  // two or more, by falling weight
  // Of the squared distance to the nearest single candidate, or to the origin of increments, the
  // share that the merge leaves; of pieces the share of matrices that no parent has.
  double residual = 0;
  // Of increments: what is left over is the same part of what the parents give in every matrix, as
  // after numbers were dropped or trimmed, not as after more training.
  bool rest_is_even = false;
  bool weights_are_even = false;  // likewise: each weight, or its share of their sum
  double relative_residual = 0;  // of a mixture: distance to the merge over the norm of the model
};

// child = sum of w_i parent_i with w_i >= 0 and sum 1, fitted on the sketches of all matrices that
// the models have in one shape (non-negative least squares, Lawson and Hanson 1974, chapter 23;
// linear because sketches are). Parents are added one at a time while each explains a good part of
// what was left. Empty unless a second parent explains most of the distance to the nearest one: a
// plain fine-tune has one parent and an unexplained rest. Candidates that cannot be compared with
// the child, or that are equal to it, take no part; of equal candidates the first does. Before it
// pieces are looked for, after it the other kinds of merge_kinds.h.
std::optional<MergeExplanation> FindMergeParents(const Fingerprint& child,
                                                 std::span<const Fingerprint* const> candidates);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MERGES_MERGE_PARENTS_H_
