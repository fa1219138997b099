// What the commands on families print alike.
#ifndef TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/models/gathering.h"
#include "cli/output/json_output.h"
#include "paper/feature_matrix.h"

namespace tensorguard::internal::cli {

// [{model, feature, value}]: values that were filled in.
OrderedJson ImputedToJson(const std::vector<ImputedFeature>& imputed);

// A line for each note and each value filled in.
std::string NotesText(const std::vector<std::string>& notes,
                      const std::vector<ImputedFeature>& imputed = {});

// kNamedAnswer if `fail_on` names the verdict.
ExitStatus StatusOf(std::string_view verdict, const std::vector<std::string>& fail_on);

// kError if any model could not be read, after a last line that counts; else `status`.
ExitStatus StatusAfter(const Shortfall& shortfall, ExitStatus status, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_
