// The parts of the deep test: each asks in its own way and has its own p-value.
#ifndef TENSORGUARD_DEEP_TEST_TEST_PARTS_H_
#define TENSORGUARD_DEEP_TEST_TEST_PARTS_H_

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "deep_test/block_pairing.h"
#include "deep_test/combined_parts.h"
#include "deep_test/independence.h"
#include "deep_test/residual_maps.h"
#include "network/network.h"

namespace tensorguard {

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

// The three ways to find the maps; each part says why where its map cannot be had. The last fits
// the map on the units of one layer of each network and tests on the others.
Result<DeepTestPart> TestInSameCoordinates(const TestSubjects& subjects);
Result<DeepTestPart> TestWithTokens(const TestSubjects& subjects,
                                    const std::vector<TokenPair>& tokens);
Result<DeepTestPart> TestWithFittedUnits(const TestSubjects& subjects);

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_TEST_PARTS_H_
