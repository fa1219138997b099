// Runs the real program in a shell, in a folder of sample models.
#ifndef TENSORGUARD_TESTS_CLI_PROGRAM_RUNNER_H_
#define TENSORGUARD_TESTS_CLI_PROGRAM_RUNNER_H_

#include <filesystem>
#include <string>

namespace tensorguard::internal {

struct ProgramRun {
  std::string output;    // stdout
  std::string messages;  // stderr
  int status = -1;       // the shell's exit status
};

// `command` is a line for sh in which "tensorguard" is the program under test. Standard input is
// empty.
ProgramRun RunInShell(const std::string& command, const std::filesystem::path& folder);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_CLI_PROGRAM_RUNNER_H_
