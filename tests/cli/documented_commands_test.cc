// The commands of README.md and docs/guide.md, run as they stand: what they print is what is shown.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/cli/program_runner.h"
#include "tests/cli/transcript.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// The indented blocks that begin with "$ ", without their indentation, as one transcript.
std::string TranscriptOf(const std::string& document) {
  std::ifstream file(document);
  std::string transcript;
  std::string block;
  const auto end_block = [&] {
    if (block.starts_with("$ ")) transcript += block + "\n";
    block.clear();
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("    ")) {
      block += line.substr(4) + "\n";
    } else if (line.empty() && !block.empty()) {
      block += "\n";
    } else {
      end_block();
    }
  }
  end_block();
  return transcript;
}

class DocumentedCommands : public testing::TestWithParam<const char*> {};

TEST_P(DocumentedCommands, PrintWhatIsShown) {
  const ScratchFolder folder;
  fs::create_directory_symlink(fs::absolute("examples"), folder.path() / "examples");
  const auto steps = ParseTranscript(TranscriptOf(GetParam()));
  ASSERT_GE(steps.size(), 4U) << GetParam();
  for (const TranscriptStep& step : steps) {
    const ProgramRun run = RunInShell(step.command, folder.path());
    SCOPED_TRACE(std::string(GetParam()) + ": " + step.command);
    EXPECT_EQ(run.status, step.status) << run.messages;
    EXPECT_TRUE(MatchesLines(run.output, step.output)) << "stdout:\n" << run.output;
    EXPECT_TRUE(MatchesLines(run.messages, step.messages)) << "stderr:\n" << run.messages;
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, DocumentedCommands,
                         testing::Values("README.md", "docs/guide.md"), [](const auto& document) {
                           return std::string(document.param).find("guide") != std::string::npos
                                      ? "Guide"
                                      : "Readme";
                         });

}  // namespace
}  // namespace tensorguard::internal
