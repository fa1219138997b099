// Position schemes other than rotation: ALiBi's slopes, sines, buckets.
#ifndef TENSORGUARD_NETWORK_ATTENTION_POSITIONS_H_
#define TENSORGUARD_NETWORK_ATTENTION_POSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "architecture/config_view.h"
#include "architecture/table/architecture_traits.h"
#include "numerics/float_matrix.h"

namespace tensorguard::internal {

bool IsSinusoidal(PositionScheme scheme);

// The scheme of the model: what config.json says, else the table's.
PositionScheme ReadPositionScheme(const ConfigView& config, const ArchitectureTraits& traits);

// Per head, negative distances times these are added to the scores (Press et al. 2022). For a
// number of heads that is no power of two every second slope of the next one fills up.
std::vector<float> AlibiSlopes(size_t heads, double largest_exponent = 8);

// [positions, width]: sines of falling frequencies, then cosines (as fairseq lays them out).
// REQUIRES: IsSinusoidal(scheme).
FloatMatrix SinusoidalPositions(size_t positions, size_t width, size_t offset,
                                PositionScheme scheme = PositionScheme::kSinusoidal);

// The bucket of a key at `key - query` = `distance` (Raffel et al. 2020, section 2.1): half of them
// exact, the rest by logarithm up to `farthest`. REQUIRES: 4 <= buckets < farthest.
size_t RelativeBucket(int64_t distance, bool both_sides, size_t buckets, size_t farthest);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_POSITIONS_H_
