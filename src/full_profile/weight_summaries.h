// Summaries of all weights of a network, each read once.
#ifndef TENSORGUARD_FULL_PROFILE_WEIGHT_SUMMARIES_H_
#define TENSORGUARD_FULL_PROFILE_WEIGHT_SUMMARIES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "full_profile/full_fingerprint.h"
#include "network/weight.h"

namespace tensorguard {

struct SummaryOptions {
  unsigned threads = 0;  // 0: one per processor
  // Called from worker threads after each block: the tensor and the stored bytes read of it.
  std::function<void(std::string_view tensor, uint64_t bytes)> on_read = {};
};

// One summary for each weight, in their order, but for routed experts from kExpertsKept on. Memory
// follows the number of threads, not the model. Errors: those of WeightMeasures.
Result<std::vector<WeightSummary>> SummariseWeights(const WeightSource& source,
                                                    std::span<const Weight> weights,
                                                    const SummaryOptions& options = {});

// Whether a weight has a sketch of its own.
bool HasSketch(const Weight& weight);

// The rows of a vocabulary table times X, [rows, kSketchSize]. Errors: those of ReadWeight.
// REQUIRES: rows below the table's.
Result<FloatMatrix> SketchRows(const WeightSource& source, const Weight& table,
                               std::span<const uint32_t> rows);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_WEIGHT_SUMMARIES_H_
