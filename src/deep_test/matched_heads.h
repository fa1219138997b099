// Do the two sides of the heads' channels find the same partners in the other network?
#ifndef TENSORGUARD_DEEP_TEST_MATCHED_HEADS_H_
#define TENSORGUARD_DEEP_TEST_MATCHED_HEADS_H_

#include <string_view>

#include "base/result.h"
#include "deep_test/independence.h"
#include "deep_test/residual_maps.h"
#include "deep_test/test_parts.h"

namespace tensorguard {

// At most this many pairs of layers are matched, the most alike of the assignment.
inline constexpr size_t kMatchedHeadLayers = 6;

// Layers are assigned to each other, in any order, by their value forms (ReadValueForm) in the
// space of `maps`; then the channels of each pair are matched by what they read and by what they
// write, and likewise by the query's and the key's side, as hidden units are (MatchUnits). Errors:
// those of ReadHeadChannels.
Result<DeepTestPart> TestMatchedHeads(const TestSubjects& subjects, const ResidualMaps& maps,
                                      std::string_view name);

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_MATCHED_HEADS_H_
