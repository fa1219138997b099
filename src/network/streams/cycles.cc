#include "network/streams/cycles.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tensorguard::internal {

std::optional<Cycles> FindCycles(const StackContext& context, const LayerParts& outer) {
  static constexpr std::array<std::string_view, 1> kSlow = {"H_cycles"};
  static constexpr std::array<std::string_view, 1> kFast = {"L_cycles"};
  constexpr uint64_t kUsualSlow = 2;
  constexpr uint64_t kUsualFast = 3;
  constexpr uint64_t kMost = 64;  // no model has more; a bound on what a file can ask for
  const Weight* start = outer.Named("z_L_init");
  if (start == nullptr) return {};
  return Cycles{.start = start,
                .slow = std::min(context.config.Number(kSlow).value_or(kUsualSlow), kMost),
                .fast = std::min(context.config.Number(kFast).value_or(kUsualFast), kMost)};
}

}  // namespace tensorguard::internal
