// What a quick answer rests on, and how sure it is, as text and JSON.
#ifndef TENSORGUARD_CLI_OUTPUT_QUICK_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_QUICK_OUTPUT_H_

#include <string>
#include <vector>

#include "cli/output/json_output.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal::cli {

// One sentence for each of `models` that was read in part, then how far the answer can be trusted;
// none where everything was read.
std::vector<std::string> QuickNotes(const Comparison& comparison,
                                    const std::vector<const Fingerprint*>& models);

// The same as an object; null where everything was read.
OrderedJson QuickToJson(const Comparison& comparison,
                        const std::vector<const Fingerprint*>& models);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_QUICK_OUTPUT_H_
