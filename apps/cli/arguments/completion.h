// Scripts that complete the command line in a shell.
#ifndef TENSORGUARD_CLI_ARGUMENTS_COMPLETION_H_
#define TENSORGUARD_CLI_ARGUMENTS_COMPLETION_H_

#include <string>
#include <string_view>

#include "cli/arguments/program_description.h"

namespace tensorguard::internal::cli {

// REQUIRES: `shell` is bash, zsh or fish.
std::string CompletionScript(const ProgramDescription& program, std::string_view shell);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_COMPLETION_H_
