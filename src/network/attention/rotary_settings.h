// The rotation that a model's config describes, with its scalings for longer texts.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ROTARY_SETTINGS_H_
#define TENSORGUARD_NETWORK_ATTENTION_ROTARY_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "architecture/config_view.h"
#include "architecture/table/architecture_traits.h"
#include "network/attention/rotary.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What a layer's rotation hangs on.
struct RotaryPlace {
  uint64_t head_size = 0;
  bool in_window = false;                // a layer that sees a sliding window or a chunk only
  std::optional<uint64_t> columns = {};  // of a head that are turned, where the shape tells
  uint64_t first = 0;
  std::string_view kind = {};  // the rotation's name, where config.json has several by name
};

// The rotation that config.json ("rope_parameters", "rope_scaling", "rope_theta", ...) and the
// table describe. Errors: kBadFile for numbers that make none; kUnsupported, naming it, for an
// unknown kind of scaling.
Result<Rotary> ReadRotary(const ConfigView& config, const ArchitectureTraits& traits,
                          const RotaryPlace& place);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_ROTARY_SETTINGS_H_
