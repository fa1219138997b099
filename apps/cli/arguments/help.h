// What --help prints.
#ifndef TENSORGUARD_CLI_ARGUMENTS_HELP_H_
#define TENSORGUARD_CLI_ARGUMENTS_HELP_H_

#include <string>

#include "cli/arguments/program_description.h"

namespace tensorguard::internal::cli {

std::string ProgramHelp(const ProgramDescription& program);

std::string CommandHelp(const ProgramDescription& program, const CommandDescription& command);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_HELP_H_
