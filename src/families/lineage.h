// The way from a model over a known relative to the root of its family.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A known model of one family with the unknown one.
struct Relative {
  size_t known = 0;                          // index in the known models
  const Comparison* with_unknown = nullptr;  // of the unknown model with it; must outlive the call
};

// Relatives are compared with each other, which costs with the square of their number: more than
// the nearest so many tell nothing new about parent and root.
inline constexpr size_t kMostRelatives = 24;

// The direct parent among the relatives, then the root of the family if that is another one; both
// as indices in `known`. `relatives` are the known models of one family with the unknown one, the
// one with the highest score first.
//
// Likeness has no direction, so direction is inferred, from the surest sign to the weakest:
//   - what comes after another model by its build: rounded, pruned, extended, laundered, merged;
//   - training adds steps that are nearly orthogonal to the weights, so that norms grow from parent
//     to child (strong weight decay undoes that).
// The parent is the nearest relative, by the weights where all of them have their counterpart, else
// by score, that does not come after the unknown model; of a merge, see FindMergeParents. The root
// is the relative with the smallest norm among those of the basis and build that most have.
// Errors: those of CompareFingerprints. REQUIRES: relatives not empty.
Result<std::vector<size_t>> TraceLineage(const Fingerprint& unknown,
                                         std::span<const Fingerprint> known,
                                         std::span<const Relative> relatives, unsigned threads = 0);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_H_
