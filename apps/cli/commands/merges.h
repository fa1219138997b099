// Merges among models at hand.
#ifndef TENSORGUARD_CLI_COMMANDS_MERGES_H_
#define TENSORGUARD_CLI_COMMANDS_MERGES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/output/comparison_output.h"

namespace tensorguard::internal::cli {

// `merge` with the names of its parents; `name_of` gives that of a candidate by its index.
NamedMerge NameParents(const std::string& child, const MergeExplanation& merge,
                       const std::function<std::string(size_t)>& name_of);

// The parents of `child` among `candidates`, if it is a merge of some of them.
std::optional<NamedMerge> FindMerge(const Fingerprint& child,
                                    const std::vector<const Fingerprint*>& candidates);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_MERGES_H_
