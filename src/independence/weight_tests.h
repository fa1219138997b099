// The parts of the deep test: each asks in its own way and has its own p-value.
#ifndef TENSORGUARD_INDEPENDENCE_WEIGHT_TESTS_H_
#define TENSORGUARD_INDEPENDENCE_WEIGHT_TESTS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "independence/combined_parts.h"
#include "independence/independence.h"
#include "independence/stream/residual_maps.h"
#include "independence/units/block_pairing.h"
#include "independence/units/matched_units.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// At most this many pairs of blocks are matched, the most similar ones of the alignment.
inline constexpr size_t kMatchedPairs = 12;

// Two networks with what all parts need.
struct TestSubjects {
  const Network& network_a;
  const Network& network_b;
  UnitReaders& readers_a;
  UnitReaders& readers_b;
  BlockList blocks_a;
  BlockList blocks_b;
  unsigned threads = 0;
  uint64_t seed = 0;
  // Called with the weights read since the last call, in bytes; never empty.
  std::function<void(uint64_t bytes)> on_read;
};

// Contrasts of neighbouring units, summed over all pairs of blocks, tested by flipping signs. Pairs
// by position where the layouts are equal, else by similarity in the same coordinates, which no
// exchange of neighbours changes.
Result<DeepTestPart> TestSamePositions(const TestSubjects& subjects);

// Agreement of matchings in the space of `maps`.
Result<DeepTestPart> TestMatchedUnits(const TestSubjects& subjects, const ResidualMaps& maps,
                                      std::string_view name);

// Of a larger p-value the order of units needs no explanation.
inline constexpr double kUncheckedOrderLog10P = -3.0;

// How units or heads of one are brought beside the other's.
struct MapsOrReason {
  std::optional<ResidualMaps> maps = {};
  std::string reason = {};  // why there are none
  // Layers whose units the maps were fitted on, of a and b: to be left out of what is tested.
  std::optional<std::pair<size_t, size_t>> fitted = {};
};

// The three ways to find the maps.
Result<MapsOrReason> MapsInSameCoordinates(const TestSubjects& subjects);
Result<MapsOrReason> MapsFromSharedTokens(const TestSubjects& subjects,
                                          const std::vector<TokenPair>& tokens);
Result<MapsOrReason> MapsFromOneLayer(const TestSubjects& subjects);

// Each says why where there is no map.
Result<DeepTestPart> TestUnitsInMaps(const TestSubjects& subjects, const MapsOrReason& found,
                                     std::string_view name);
Result<DeepTestPart> TestHeadsInMaps(const TestSubjects& subjects, const MapsOrReason& found,
                                     std::string_view name);

// `layer` with the largest of these agreements as its effect.
DeepTestLayer WithLargestAgreement(DeepTestLayer layer, const std::vector<Agreement>& agreements);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_WEIGHT_TESTS_H_
