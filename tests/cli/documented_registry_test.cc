// The commands of docs/registry.md, run one after the other, and their answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/program_runner.h"
#include "tests/cli/transcript.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

// What is indented is what a terminal shows.
std::string TerminalOf(const std::string& document) {
  std::ifstream file(document);
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) text += "\n";
    if (line.rfind("    ", 0) == 0) text += line.substr(4) + "\n";
  }
  return text;
}

TEST(DocumentedRegistry, IsWhatTheProgramSays) {
  const ScratchFolder folder;
  std::filesystem::create_directory_symlink(std::filesystem::absolute("examples/models"),
                                            folder.path() / "models");
  const auto steps = ParseTranscript(TerminalOf("docs/registry.md"));
  ASSERT_GT(steps.size(), 15u);
  for (const TranscriptStep& step : steps) {
    const ProgramRun run = RunInShell(step.command, folder.path());
    SCOPED_TRACE(step.command);
    EXPECT_EQ(run.status, step.status) << run.messages;
    EXPECT_TRUE(MatchesLines(run.output, step.output)) << run.output << run.messages;
  }
}

}  // namespace
}  // namespace tensorguard::internal
