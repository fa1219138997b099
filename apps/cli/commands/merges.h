// Merges among models at hand.
#ifndef TENSORGUARD_CLI_COMMANDS_MERGES_H_
#define TENSORGUARD_CLI_COMMANDS_MERGES_H_

#include <optional>
#include <vector>

#include "cli/output/comparison_output.h"

namespace tensorguard::internal::cli {

// The parents of `child` among `candidates`, if it is a merge of some of them.
std::optional<NamedMerge> FindMerge(const Fingerprint& child,
                                    const std::vector<const Fingerprint*>& candidates);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_MERGES_H_
