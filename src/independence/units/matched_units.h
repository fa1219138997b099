// Do a unit's different matrices find the same partner in the other network?
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_UNITS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_UNITS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "independence/stream/residual_maps.h"
#include "independence/units/feed_forward_units.h"
#include "independence/units/unit_reader.h"

namespace tensorguard::internal {

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
  // The sign of a unit's columns means nothing, also of the first matrix.
  bool any_sign = false;
};

// Which matrices of two blocks are matched: gate, up, down where both have gates; else up, down.
// The first is matched as it is; of the others is taken out what the first predicts.
std::vector<UnitMatrix> MatricesToMatch(bool both_have_gates);

// Chosen units of one block as they are matched, in the order of MatricesToMatch: in the shared
// space [shared width x units], less what a ridge regression of all the block's units on the first
// matrix predicts (WithoutPredictable), at unit length.
using MatchedColumns = std::vector<arma::fmat>;

// Indices of all units, or of kMatchedUnits evenly spaced ones.
arma::uvec AllUnits(uint64_t units);
arma::uvec MatchedSample(uint64_t units);

MatchedColumns PrepareColumns(const UnitVectors& vectors, const std::vector<UnitMatrix>& matrices,
                              const arma::uvec& chosen, const arma::fmat& map, unsigned threads);

// The same up to rounding, reading some units at a time: what is used on blocks of any size, and
// tested against PrepareColumns. Errors: those of UnitReader::Read.
Result<MatchedColumns> ReadMatchedColumns(const UnitReader& reader,
                                          const std::vector<UnitMatrix>& matrices,
                                          const arma::uvec& chosen, const arma::fmat& map,
                                          unsigned threads);

// Matches `few` units to as many of `many` by each matrix on its own (a linear assignment on
// cosines; of absolute cosines where a sign can move between up and down) and counts where two
// matchings agree: gate with up and gate with down, or up with down. Units and partners are put in
// a random order for each matrix, so that ties are broken differently: equal or zero columns agree
// by chance only. Empty if a matrix of either block is zero.
// REQUIRES: the same matrices in both, no more columns in `few` than in `many`.
std::vector<Agreement> MatchColumns(const MatchedColumns& few, const MatchedColumns& many,
                                    const MatchingOptions& options);

// Chooses, prepares and matches the units of two blocks: of the one with fewer units MatchedSample,
// of the other all.
std::vector<Agreement> MatchUnits(const UnitVectors& a, const UnitVectors& b,
                                  const ResidualMaps& maps, const MatchingOptions& options);
Result<std::vector<Agreement>> MatchUnits(const UnitReader& a, const UnitReader& b,
                                          const ResidualMaps& maps, const MatchingOptions& options);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_UNITS_H_
