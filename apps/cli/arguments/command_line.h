// From arguments to a Request. The definitions of all commands and options are in the .cc file, the
// only one that includes CLI11, which is slow to compile.
#ifndef TENSORGUARD_CLI_ARGUMENTS_COMMAND_LINE_H_
#define TENSORGUARD_CLI_ARGUMENTS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "cli/arguments/options.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

// Errors: kUsage, with the nearest known name where one is near.
Result<Request> ParseCommandLine(const std::vector<std::string>& arguments);

// Whether errors of a command line that could not be read are wanted as JSON too.
bool AsksForJson(const std::vector<std::string>& arguments);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_COMMAND_LINE_H_
