// A search for the combination of changes that hides a copy best.
#ifndef TENSORGUARD_TRANSFORM_STRESS_STRESS_SEARCH_H_
#define TENSORGUARD_TRANSFORM_STRESS_STRESS_SEARCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "transform/decoder.h"
#include "transform/stress/stress.h"
#include "transform/stress/stress_subject.h"

namespace tensorguard::internal {

struct SearchOptions {
  uint64_t seed = 0;
  unsigned threads = 0;
  std::function<void(const std::string& what)> on_try = {};
};

struct SearchResult {
  std::vector<StressCell> steps = {};  // after each change that was added
  uint64_t tries = 0;
};

// Greedy: to what it has, it adds the change (of those that keep the function and need no second
// model, at their largest strength that stress tries) after which the fingerprints' answer is
// furthest from the truth, until none lowers it further or kMostSearchTries copies were made.
// Errors: those of ApplyChange other than a misfit, of LogitsOf, and of CompareSubjects.
Result<SearchResult> SearchCombination(const Decoder& decoder, const FloatMatrix& logits,
                                       const StressSubject& original, const SearchOptions& options);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_STRESS_STRESS_SEARCH_H_
