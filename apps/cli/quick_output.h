// What a quick answer rests on, and how sure it is, as text and JSON.
#ifndef TENSORGUARD_APPS_CLI_QUICK_OUTPUT_H_
#define TENSORGUARD_APPS_CLI_QUICK_OUTPUT_H_

#include <string>
#include <vector>

#include "cli/json_output.h"
#include "comparison/compare_fingerprints.h"
#include "full_profile/full_fingerprint.h"

namespace tensorguard::cli {

// One sentence for each of `models` that was read in part, then how far the answer can be trusted;
// none where everything was read.
std::vector<std::string> QuickNotes(const Comparison& comparison,
                                    const std::vector<const FullFingerprint*>& models);

// The same as an object; null where everything was read.
OrderedJson QuickToJson(const Comparison& comparison,
                        const std::vector<const FullFingerprint*>& models);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_QUICK_OUTPUT_H_
