// What --help prints.
#ifndef TENSORGUARD_APPS_CLI_HELP_H_
#define TENSORGUARD_APPS_CLI_HELP_H_

#include <string>

#include "cli/program_description.h"

namespace tensorguard::cli {

std::string ProgramHelp(const ProgramDescription& program);

std::string CommandHelp(const ProgramDescription& program, const CommandDescription& command);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_HELP_H_
