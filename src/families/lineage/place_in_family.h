// Where an unknown model stands among known ones of its family.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_PLACE_IN_FAMILY_H_
#define TENSORGUARD_FAMILIES_LINEAGE_PLACE_IN_FAMILY_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A known model of one family with the unknown one.
struct Relative {
  size_t known = 0;                          // index in the known models
  const Comparison* with_unknown = nullptr;  // of the unknown model with it; must outlive the call
};

// Relatives are compared with each other, which costs with the square of their number: more than
// the nearest so many tell nothing new.
inline constexpr size_t kMostRelatives = 24;

// Known models as indices in `known`.
struct PlaceInFamily {
  // The neighbour in the family tree, or the nearest of all; not said to be the parent.
  size_t closest = 0;
  // The direct parent and what it came from, as far as each step has a direction that is shown;
  // empty where that of the first has none. Of a merge the parent of most weight comes first.
  std::vector<size_t> lineage = {};
  double certainty = 0;         // that the direct parent is right; 0 without one
  bool parent_missing = false;  // it and others come from one model that is not known
  bool same_function = false;   // as the closest: a copy, or the same function in another basis
  std::optional<MergeExplanation> merge = {};
};

// `relatives`: the one with the highest score first. Errors: those of CompareFingerprints.
// REQUIRES: relatives not empty.
Result<PlaceInFamily> FindPlaceInFamily(const Fingerprint& unknown,
                                        std::span<const Fingerprint> known,
                                        std::span<const Relative> relatives, unsigned threads = 0);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_PLACE_IN_FAMILY_H_
