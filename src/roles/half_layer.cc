#include "roles/half_layer.h"

namespace tensorguard::internal {

std::optional<Half> HalfOf(Role role) {
  switch (role) {
    case Role::kQuery:
    case Role::kKey:
    case Role::kValue:
    case Role::kQueryKeyValue:
    case Role::kKeyValue:
    case Role::kOutputProjection:
    case Role::kAttentionGate:
    case Role::kQueryDown:
    case Role::kQueryUp:
    case Role::kKeyValueDown:
    case Role::kKeyValueUp:
    case Role::kMixer:
      return Half::kMixer;
    case Role::kGate:
    case Role::kUp:
    case Role::kDown:
    case Role::kGateUp:
    case Role::kRouter:
      return Half::kFeedForward;
    default:
      return std::nullopt;
  }
}

std::optional<HalfPlace> HalfPlaceOf(const TensorRole& role) {
  const auto half = HalfOf(role.role);
  if (!half || !role.layer) return std::nullopt;
  return HalfPlace{.stack = role.stack, .layer = *role.layer, .half = *half};
}

}  // namespace tensorguard::internal
