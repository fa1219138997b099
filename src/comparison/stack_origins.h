// What of each stack, tower and projector of a model comes from another one.
#ifndef TENSORGUARD_COMPARISON_STACK_ORIGINS_H_
#define TENSORGUARD_COMPARISON_STACK_ORIGINS_H_

#include <string>
#include <vector>

#include "comparison/part_origins.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct StackOrigins {
  std::string stack;  // "model" for the main stack and what goes with it; else as TensorRole::stack
  OriginCounts counts;
};

// Largest first; one entry where the model has no towers. REQUIRES: `origins` are of `model`.
std::vector<StackOrigins> OriginsByStack(const Fingerprint& model, const ModelOrigins& origins);

// In a word: "the same", "changed", "rewritten", "nothing", "not comparable", where nine tenths of
// the stack's parameters are so; "in part" where less of it is the other model's.
std::string_view AnswerOf(const OriginCounts& counts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_STACK_ORIGINS_H_
