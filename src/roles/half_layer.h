// The two halves of a layer, which may have origins of their own.
#ifndef TENSORGUARD_ROLES_HALF_LAYER_H_
#define TENSORGUARD_ROLES_HALF_LAYER_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "roles/role.h"

namespace tensorguard::internal {

enum class Half { kMixer, kFeedForward };

// Which half a matrix belongs to; empty for those of neither.
std::optional<Half> HalfOf(Role role);

struct HalfPlace {
  std::string stack = {};
  uint32_t layer = 0;
  Half half = Half::kMixer;

  auto operator<=>(const HalfPlace&) const = default;
};

// Empty for a weight of no layer, or of neither half.
std::optional<HalfPlace> HalfPlaceOf(const TensorRole& role);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_HALF_LAYER_H_
