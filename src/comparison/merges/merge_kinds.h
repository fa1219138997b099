// Merges that are no one mixture of whole models: pieces of several, weights that differ from
// matrix to matrix, and increments over a common origin of which a part was left out.
#ifndef TENSORGUARD_COMPARISON_MERGES_MERGE_KINDS_H_
#define TENSORGUARD_COMPARISON_MERGES_MERGE_KINDS_H_

#include <optional>
#include <span>

#include "comparison/merges/merge_candidates.h"
#include "comparison/merges/merge_parents.h"

namespace tensorguard::internal {

// Nearly every learned matrix of the child is, number for number, one of a candidate's, at whatever
// place; no single candidate has them. Stacked, spliced and frozen layers, copied experts. A
// parent's weight is its share of the child's matrices; the first that has a matrix counts.
std::optional<MergeExplanation> FindPieces(const Fingerprint& child,
                                           std::span<const Fingerprint* const> candidates);

// Two candidates between which nearly every matrix of the child lies, at other weights in each
// (gradients, slerp). The weights named are means.
std::optional<MergeExplanation> FindMergeByMatrix(const MergeCandidates& candidates);

// child - origin = sum of w_i (parent_i - origin) + rest, where the rest may be large: trimmed,
// dropped, elected by sign (Yadav et al. 2023, arXiv 2306.01708; Yu et al. 2023, arXiv 2311.03099),
// or the weights beyond a mixture (task arithmetic, Ilharco et al. 2022, arXiv 2212.04089). What
// models trained on like data have in common differs from matrix to matrix; a merge takes the same
// weight everywhere, which is what is asked here, beyond the deviation that sketches make. The
// origin has less norm than the others, as training adds norm; the one that leaves least is taken,
// and named where its weight, what is left to 1, is not near 0; that may be negative. Last, without
// an origin: whole models times weights of any sum, which must explain all (slerp of strangers).
std::optional<MergeExplanation> FindIncrements(const MergeCandidates& candidates);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MERGES_MERGE_KINDS_H_
