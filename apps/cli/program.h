// The whole program: a command line in, output and an exit status out.
#ifndef TENSORGUARD_CLI_PROGRAM_H_
#define TENSORGUARD_CLI_PROGRAM_H_

#include <string>
#include <vector>

namespace tensorguard::internal::cli {

// `arguments` without the program's own name. The result is the process's exit status.
int RunProgram(const std::vector<std::string>& arguments) noexcept;

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_PROGRAM_H_
