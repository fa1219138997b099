#include "fingerprint/learned_matrix.h"

#include <algorithm>

namespace tensorguard::internal {

bool IsLearnedMatrix(const WeightSummary& weight) {
  if (weight.is_vector || weight.sketch.rows() == 0) return false;
  switch (weight.role.role) {
    case Role::kEmbeddingProjection:
    case Role::kQuery:
    case Role::kKey:
    case Role::kValue:
    case Role::kOutputProjection:
    case Role::kAttentionGate:
    case Role::kQueryDown:
    case Role::kQueryUp:
    case Role::kKeyValueDown:
    case Role::kKeyValueUp:
    case Role::kGate:
    case Role::kUp:
    case Role::kDown:
    case Role::kRouter:
      return true;
    case Role::kMixer:  // its projections; decays and convolutions are narrow
      return weight.rows > kSketchSize && weight.columns > kSketchSize;
    default:
      return false;
  }
}

size_t LearnedMatrices(const Fingerprint& fingerprint) {
  return std::count_if(fingerprint.weights.begin(), fingerprint.weights.end(), IsLearnedMatrix);
}

}  // namespace tensorguard::internal
