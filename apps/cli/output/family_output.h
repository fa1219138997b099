// What the commands on many models ask and print alike.
#ifndef TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "api/family_request.h"
#include "api/reading/gathering.h"
#include "cli/commands/commands.h"
#include "paper/feature_matrix.h"

namespace tensorguard::internal::cli {

FamilyRequest FamilyRequestOf(const ClusterOptions& options);

// A line for each note and each value filled in.
std::string NotesText(const std::vector<std::string>& notes,
                      const std::vector<ImputedFeature>& imputed = {});

// kNamedAnswer if `fail_on` names the verdict.
ExitStatus StatusOf(std::string_view verdict, const std::vector<std::string>& fail_on);

// "1 of 3 models could not be read (listed above)".
std::string FailureCount(size_t failed, size_t all);

// kError if any model could not be read, after a last line that counts; else `status`.
ExitStatus StatusAfter(const Shortfall& shortfall, ExitStatus status, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_FAMILY_OUTPUT_H_
