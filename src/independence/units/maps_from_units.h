// The map between two residual streams found without embeddings: from the hidden units of one
// layer, by what no rotation of the residual stream changes.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_MAPS_FROM_UNITS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_MAPS_FROM_UNITS_H_

#include <armadillo>
#include <optional>

#include "independence/stream/residual_maps.h"
#include "independence/units/feed_forward_units.h"

namespace tensorguard::internal {

// Blocks larger than this are not fitted: the time grows with units^3 and units * hidden^2.
inline constexpr uint64_t kFittedUnits = 4096;
inline constexpr uint64_t kFittedWidth = 2048;

// A column per unit of numbers that stay the same when the residual stream is rotated or permuted
// and the unit rescaled or moved: cosines among its own matrices' columns, and moments and extremes
// of its cosines to all other units'; each as a rank among the units, from 0 to 1.
arma::fmat UnitDescriptors(const UnitVectors& vectors, unsigned threads);

struct UnitFit {
  ResidualMaps maps;
  double cosine = 0.0;  // mean over matched units and matrices, of absolute values
};

// Matches units by descriptors, then alternates between the orthogonal map that brings matched
// columns closest and the matching under that map, until it stands still. Fits any two blocks
// somehow: whether the map means something must be asked of other layers.
// REQUIRES: both have a gate or neither; sizes within the limits above. Empty where a matrix is
// zero.
std::optional<UnitFit> FitUnits(const UnitVectors& a, const UnitVectors& b, uint64_t seed,
                                unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_MAPS_FROM_UNITS_H_
