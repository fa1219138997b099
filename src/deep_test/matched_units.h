// Do a unit's different matrices find the same partner in the other network?
#ifndef TENSORGUARD_DEEP_TEST_MATCHED_UNITS_H_
#define TENSORGUARD_DEEP_TEST_MATCHED_UNITS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "deep_test/feed_forward_units.h"
#include "deep_test/residual_maps.h"

namespace tensorguard {

// At most this many units of a block are matched, evenly spaced, against all of the other's: the
// assignment's time grows with their square.
inline constexpr size_t kMatchedUnits = 1024;

// How many units two matrices send to the same partner.
struct Agreement {
  std::string_view matrices;  // "gate and up", "gate and down", "up and down"
  uint64_t units = 0;         // matched
  uint64_t agreeing = 0;
};

struct MatchingOptions {
  uint64_t seed = 0;
  unsigned threads = 0;  // 0: one per processor
};

// Matches the units of two blocks by each matrix on its own (a linear assignment on cosines in the
// shared space; of absolute cosines where a sign can move between up and down) and counts where two
// matchings agree. What a matrix's columns owe linearly to the first matrix's is taken out of both
// networks before (WithoutPredictable). Units and partners are put in a random order for each
// matrix, so that ties are broken differently: equal or zero columns agree by chance only.
// Gate with up and gate with down where both have gates; else up with down.
// Empty if a matrix of either block has no two different columns.
std::vector<Agreement> MatchUnits(const UnitVectors& a, const UnitVectors& b,
                                  const ResidualMaps& maps, const MatchingOptions& options);

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_MATCHED_UNITS_H_
