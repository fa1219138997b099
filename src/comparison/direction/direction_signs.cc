#include "comparison/direction/direction_signs.h"

#include <algorithm>
#include <iterator>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// Whether every matrix that both have is the same, as far as it was stored the same.
bool MatricesUnchanged(const Comparison& comparison) {
  const auto& pairs = comparison.sketches.pairs;
  const size_t learned = std::count_if(pairs.begin(), pairs.end(),
                                       [](const SketchPair& pair) { return pair.learned; });
  return learned > 0 && std::all_of(pairs.begin(), pairs.end(), [](const SketchPair& pair) {
           return !pair.learned || pair.equal || pair.relative_change <= kUnchanged;
         });
}

}  // namespace

bool HasFinding(const Comparison& comparison, FindingKind kind, Side side) {
  return std::any_of(
      comparison.findings.begin(), comparison.findings.end(),
      [&](const Finding& finding) { return finding.kind == kind && finding.derived == side; });
}

std::vector<DirectionSign> FindDirectionSigns(const Fingerprint& a, const Fingerprint& b,
                                              const Comparison& comparison) {
  if (!IsDerivation(comparison.verdict) || comparison.quick) return {};
  const bool rewritten = comparison.verdict == Verdict::kReparameterised;
  const auto course = rewritten ? std::nullopt : CourseOf(a, b, comparison.sketches);
  std::vector<DirectionSign> signs = NumberSigns(a, b, comparison, course);
  auto build = BuildSigns(a, b, comparison, MatricesUnchanged(comparison));
  signs.insert(signs.end(), std::make_move_iterator(build.begin()),
               std::make_move_iterator(build.end()));
  return signs;
}

}  // namespace tensorguard::internal
