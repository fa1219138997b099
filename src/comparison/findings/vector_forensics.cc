#include "comparison/findings/vector_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "comparison/measures/changed_matrix.h"
#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

std::string_view NameOf(const TensorRole& role) {
  if (role.is_bias) return "biases";
  switch (role.role) {
    case Role::kNorm:
      return "norm gains";
    case Role::kGain:
      return "other gains";
    case Role::kPositionEmbedding:
      return "tables of positions";
    case Role::kMixer:
      return "small weights of mixers";
    case Role::kTaskHead:
      return "weights of task heads";
    default:
      return "other weights";
  }
}

struct Tally {
  size_t all = 0;
  size_t changed = 0;
};

bool HasChanged(const SketchPair& pair, const WeightSummary& in_a, const WeightSummary& in_b) {
  return !pair.equal && pair.relative_change > kUnchanged && !IsRounded(pair, in_a, in_b);
}

}  // namespace

std::optional<Finding> FindVectorChanges(const Fingerprint& a, const Fingerprint& b,
                                         const SketchComparison& sketches) {
  std::map<std::string_view, Tally> tallies;
  double sum = 0;
  double changed = 0;
  double most = 0;
  for (const SketchPair& pair : sketches.pairs) {
    const WeightSummary& in_a = a.weights[pair.weights.in_a];
    const WeightSummary& in_b = b.weights[pair.weights.in_b];
    if (IsLearnedMatrix(in_a)) continue;
    Tally& tally = tallies[NameOf(in_a.role)];
    ++tally.all;
    if (!HasChanged(pair, in_a, in_b)) continue;
    ++tally.changed;
    ++changed;
    sum += pair.relative_change;
    most = std::max(most, pair.relative_change);
  }
  if (changed == 0) return std::nullopt;
  std::string counts;
  for (const auto& [name, tally] : tallies) {
    if (tally.changed == 0) continue;
    counts +=
        fmt::format("{}{} of {} {}", counts.empty() ? "" : ", ", tally.changed, tally.all, name);
  }
  return Finding{.kind = FindingKind::kVectors,
                 .text = fmt::format("Beside the matrices changed: {}; by {:.2g} of their norm in "
                                     "the mean, {:.2g} at most.",
                                     counts, sum / changed, most)};
}

}  // namespace tensorguard::internal
