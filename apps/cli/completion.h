// Scripts that complete the command line in a shell.
#ifndef TENSORGUARD_APPS_CLI_COMPLETION_H_
#define TENSORGUARD_APPS_CLI_COMPLETION_H_

#include <string>
#include <string_view>

#include "cli/program_description.h"

namespace tensorguard::cli {

// REQUIRES: `shell` is bash, zsh or fish.
std::string CompletionScript(const ProgramDescription& program, std::string_view shell);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_COMPLETION_H_
