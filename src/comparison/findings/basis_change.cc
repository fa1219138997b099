#include "comparison/findings/basis_change.h"

#include <optional>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// The kernel that a matrix shows in; empty for those in none.
std::optional<ResponseKind> KernelOfRole(Role role) {
  switch (role) {
    case Role::kQuery:
    case Role::kKey:
    case Role::kQueryDown:
    case Role::kQueryUp:
      return ResponseKind::kQueryKey;
    case Role::kValue:
    case Role::kOutputProjection:
    case Role::kMixer:
      return ResponseKind::kOutputValue;
    case Role::kGate:
    case Role::kUp:
    case Role::kDown:
      return ResponseKind::kFeedForward;
    default:
      return std::nullopt;
  }
}

std::optional<double> KernelOnPath(ResponseKind kind, const LayerSimilarity& similarity,
                                   const LayerAlignment& alignment) {
  double sum = 0;
  double count = 0;
  for (const AlignedLayers& layers : alignment.path) {
    const auto cosine = similarity.Cosine(kind, layers.row, layers.column);
    if (!cosine) continue;
    sum += *cosine;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

std::optional<double> WeightsOfKernel(ResponseKind kind, const Fingerprint& a,
                                      const SketchComparison& sketches) {
  double sum = 0;
  double count = 0;
  for (const SketchPair& pair : sketches.pairs) {
    const Role role = a.weights[pair.weights.in_a].role.role;
    if (!pair.learned || KernelOfRole(role) != kind) continue;
    sum += pair.cosine;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

BasisChange FindBasisChange(const Fingerprint& a, const LayerSimilarity& similarity,
                            const LayerAlignment& alignment, const SketchComparison& sketches) {
  BasisChange change;
  if (sketches.parts == 0) return change;
  for (const ResponseKind kind : kResponseKinds) {
    const auto kernel = KernelOnPath(kind, similarity, alignment);
    const auto weights = WeightsOfKernel(kind, a, sketches);
    if (kernel && weights && *kernel >= kFunctionKeptCosine && *weights < kBasisLostCosine) {
      change.lost_parts.push_back(kind);
    }
  }
  const double weights_moved = 1 - sketches.cosine;
  const double function_moved = 1 - alignment.score;
  change.function_kept =
      weights_moved > kWeightsSame && weights_moved > kWeightsOverFunction * function_moved;
  return change;
}

}  // namespace tensorguard::internal
