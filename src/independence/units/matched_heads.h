// Do the two sides of the heads' channels find the same partners in the other network?
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_HEADS_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_HEADS_H_

#include <string_view>

#include "independence/independence.h"
#include "independence/stream/residual_maps.h"
#include "independence/weight_tests.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// At most this many pairs of layers are matched, the most alike of the assignment.
inline constexpr size_t kMatchedHeadLayers = 6;

// Layers are assigned to each other, in any order, by their value forms (ReadValueForm) in the
// space of `maps`; then the channels of each pair are matched by what they read and by what they
// write, and likewise by the query's and the key's side, as hidden units are (MatchUnits). Errors:
// those of ReadHeadChannels.
Result<DeepTestPart> TestMatchedHeads(const TestSubjects& subjects, const ResidualMaps& maps,
                                      std::string_view name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_MATCHED_HEADS_H_
