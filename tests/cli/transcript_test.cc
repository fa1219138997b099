// Runs every transcript of tests/cli/transcripts against the program.
#include "tests/cli/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/program_runner.h"
#include "tests/cli/sample_models.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

const fs::path kTranscripts = TENSORGUARD_TRANSCRIPTS;

std::vector<std::string> TranscriptNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kTranscripts)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, IsWhatTheProgramSays) {
  const ScratchFolder folder;
  WriteSampleModels(folder);
  const fs::path file = kTranscripts / (GetParam() + ".txt");
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const auto steps = ParseTranscript(text.str());
  ASSERT_FALSE(steps.empty()) << file;
  for (const TranscriptStep& step : steps) {
    const ProgramRun run = RunInShell(step.command, folder.path());
    SCOPED_TRACE(file.string() + ":" + std::to_string(step.line_number) + ": " + step.command);
    EXPECT_EQ(run.status, step.status);
    EXPECT_TRUE(MatchesLines(run.output, step.output)) << "stdout:\n" << run.output;
    EXPECT_TRUE(MatchesLines(run.messages, step.messages)) << "stderr:\n" << run.messages;
  }
}

INSTANTIATE_TEST_SUITE_P(Cli, Transcript, testing::ValuesIn(TranscriptNames()),
                         [](const auto& name) { return name.param; });

TEST(TranscriptReader, MatchesExactlyButForTheMark) {
  EXPECT_TRUE(MatchesLines("a\nb\n", {"a", "b"}));
  EXPECT_FALSE(MatchesLines("a\nb\n", {"a"}));
  EXPECT_FALSE(MatchesLines("a\n", {"a", "b"}));
  EXPECT_FALSE(MatchesLines("ab\n", {"a"}));
  EXPECT_TRUE(MatchesLines("took 12 s\n", {"took [...] s"}));
  EXPECT_FALSE(MatchesLines("took 12 min\n", {"took [...] s"}));
  EXPECT_TRUE(MatchesLines("a\nx\ny\nb\n", {"a", "[...]", "b"}));
  EXPECT_FALSE(MatchesLines("a\nx\ny\n", {"a", "[...]", "b"}));
}

TEST(TranscriptReader, ReadsCommandsWithTheirAnswers) {
  const auto steps = ParseTranscript("# x\n$ one\nout\n\nmore\n! bad\n? 2\n\n$ two\n");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].line_number, 2u);
  EXPECT_EQ(steps[0].output, (std::vector<std::string>{"out", "", "more"}));
  EXPECT_EQ(steps[0].messages, (std::vector<std::string>{"bad"}));
  EXPECT_EQ(steps[0].status, 2);
  EXPECT_EQ(steps[1].status, 0);
}

}  // namespace
}  // namespace tensorguard::internal
