// Merges among models at hand.
#ifndef TENSORGUARD_APPS_CLI_MERGES_H_
#define TENSORGUARD_APPS_CLI_MERGES_H_

#include <optional>
#include <vector>

#include "cli/comparison_output.h"

namespace tensorguard::cli {

// The parents of `child` among `candidates`, if it is a merge of some of them.
std::optional<NamedMerge> FindMerge(const FullFingerprint& child,
                                    const std::vector<const FullFingerprint*>& candidates);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_MERGES_H_
