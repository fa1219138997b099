// The whole program: a command line in, output and an exit status out.
#ifndef TENSORGUARD_APPS_CLI_PROGRAM_H_
#define TENSORGUARD_APPS_CLI_PROGRAM_H_

#include <string>
#include <vector>

namespace tensorguard::cli {

// `arguments` without the program's own name. The result is the process's exit status.
int RunProgram(const std::vector<std::string>& arguments);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_PROGRAM_H_
