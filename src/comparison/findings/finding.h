// One thing that the comparison found, beside the verdict.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_FINDING_H_
#define TENSORGUARD_COMPARISON_FINDINGS_FINDING_H_

#include <optional>
#include <string>
#include <string_view>

namespace tensorguard::internal {

enum class FindingKind {
  kCannotCompare,  // what could not be looked at, and why
  kEqualWeights,   // weights that are the same numbers
  kChange,         // which weights changed, and by how much
  kEdit,           // a few matrices or layers alone changed
  kScaled,         // matrices that are the same but for a factor
  kShifted,        // matrices that are the same but for a constant that was added
  kVectors,        // norm gains, biases and other weights beside the matrices changed
  kRounding,       // the same but for the rounding of another stored type
  kLowRank,        // the changes are of one low rank (LoRA)
  kDirection,      // one direction taken out of what writes to the residual stream
  kQuantised,      // values on a coarse grid
  kNoise,          // every matrix changed by the same share of itself, in no direction
  kZeros,          // exact zeros: pruned elements, dead rows or columns, empty matrices
  kWidth,          // hidden units removed or added
  kLayers,         // layers dropped, added or repeated
  kVocabulary,     // rows added, removed or reordered; another table
  kExperts,        // a dense feed-forward became experts
  kBasis,          // the same function in other numbers
  kPartsCopied,    // single parts of an otherwise independent model
};

// "cannot_compare", "equal_weights", ...
std::string_view FindingKindName(FindingKind kind);

enum class Side { kA, kB };

struct Finding {
  FindingKind kind = FindingKind::kChange;
  std::string text;                  // a sentence; model names in it are raw text from outside
  std::optional<Side> derived = {};  // the model that this shows to be the later one
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_FINDING_H_
