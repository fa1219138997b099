// The weights in the index of a fingerprint file. What layers and experts have in common is told
// once, so that tens of thousands of experts take bytes each, not lines.
#ifndef TENSORGUARD_FINGERPRINT_FILE_WEIGHT_INDEX_H_
#define TENSORGUARD_FINGERPRINT_FILE_WEIGHT_INDEX_H_

#include <cstddef>
#include <span>
#include <vector>

#include "base/json.h"
#include "fingerprint/file/matrix_budget.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// More than any model has: a bound on what a hostile file makes us allocate.
inline constexpr size_t kMostWeights = 1'000'000;

struct WeightIndex {
  // Each weight's members but its layer and its expert, whose numbers in the tensor's name are
  // "{layer}" and "{expert}"; equal ones once.
  Json kinds;
  // Of each weight [kind], [kind, layer] or [kind, layer, expert]; null for a layer that it lacks.
  Json weights;
};

WeightIndex IndexOfWeights(std::span<const WeightSummary> weights);

// Weights whose numbers are zeros, in matrices that `budget` allows. Errors: kBadFile, naming the
// member.
Result<std::vector<WeightSummary>> WeightsOfIndex(const Json& kinds, const Json& weights,
                                                  MatrixBudget& budget);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_WEIGHT_INDEX_H_
