// Numbers of a config that no model has: whoever reads past them would answer for another model.
#ifndef TENSORGUARD_ARCHITECTURE_CONFIG_CHECKS_H_
#define TENSORGUARD_ARCHITECTURE_CONFIG_CHECKS_H_

#include <string_view>

#include "base/json.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Counts and widths are whole numbers from 1 to 2^28, layers at most 100,000; epsilons are above 0
// and at most 1, bases of rotary positions above 0; absent and null are fine, lists are not looked
// into. In the config and the part of it that describes the text model. Errors: kBadFile with the
// key.
Result<void> CheckConfigNumbers(const Json& config);

// The same for NaN and infinity, which Python writes and ParseJson makes null.
Result<void> CheckConfigText(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_CONFIG_CHECKS_H_
