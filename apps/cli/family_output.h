// What the commands on families print alike.
#ifndef TENSORGUARD_APPS_CLI_FAMILY_OUTPUT_H_
#define TENSORGUARD_APPS_CLI_FAMILY_OUTPUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/gathering.h"
#include "cli/json_output.h"
#include "families/feature_matrix.h"

namespace tensorguard::cli {

// [{model, feature, value}]: values that were filled in.
OrderedJson ImputedToJson(const std::vector<ImputedFeature>& imputed);

// A line for each note and each value filled in.
std::string NotesText(const std::vector<std::string>& notes,
                      const std::vector<ImputedFeature>& imputed = {});

// kNamedAnswer if `fail_on` names the verdict.
ExitStatus StatusOf(std::string_view verdict, const std::vector<std::string>& fail_on);

// kError if any model could not be read, after a last line that counts; else `status`.
ExitStatus StatusAfter(const Shortfall& shortfall, ExitStatus status, Console& console);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_FAMILY_OUTPUT_H_
