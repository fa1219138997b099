#include "tests/cli/program_runner.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

ProgramRun RunInShell(const std::string& command, const std::filesystem::path& folder) {
  const ScratchFolder captured;
  const auto script = captured.Write("script", command + "\n");
  const std::filesystem::path program = TENSORGUARD_PROGRAM;
  const std::string line =
      fmt::format("cd '{}' && PATH='{}':\"$PATH\" sh '{}' </dev/null >'{}/out' 2>'{}/err'",
                  folder.string(), program.parent_path().string(), script.string(),
                  captured.path().string(), captured.path().string());
  const int status = std::system(line.c_str());
  if (status == -1) throw std::runtime_error("cannot start a shell");
  return {.output = Contents(captured.path() / "out"),
          .messages = Contents(captured.path() / "err"),
          .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

}  // namespace tensorguard::internal
