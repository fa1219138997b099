#include "comparison/stack_origins.h"

#include <algorithm>
#include <map>

#include "comparison/thresholds.h"

namespace tensorguard::internal {

std::vector<StackOrigins> OriginsByStack(const Fingerprint& model, const ModelOrigins& origins) {
  std::map<std::string, OriginCounts> stacks;
  for (const PartOrigin& part : origins.parts) {
    const std::string& stack = model.weights[part.weight].role.stack;
    stacks[stack.empty() ? "model" : stack].Add(part.counts);
  }
  std::vector<StackOrigins> found;
  for (const auto& [stack, counts] : stacks) found.push_back({stack, counts});
  std::stable_sort(found.begin(), found.end(), [](const StackOrigins& a, const StackOrigins& b) {
    return a.counts.Total() > b.counts.Total();
  });
  return found;
}

std::string_view AnswerOf(const OriginCounts& counts) {
  const double found = counts.TracedShare();
  if (found >= kWhole) {
    if (counts.Share(Origin::kSame) >= kWhole) return "the same";
    return counts.Of(Origin::kRewritten) > counts.Of(Origin::kChanged) ? "rewritten" : "changed";
  }
  if (found >= kInPart) return "in part";
  const double compared = counts.Of(Origin::kNothing);
  return compared > 0 ? "nothing" : "not comparable";
}

}  // namespace tensorguard::internal
