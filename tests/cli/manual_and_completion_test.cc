// The manual page and the completion scripts, given to the programs that read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program_runner.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

#define SKIP_WITHOUT_PROGRAM(name)                                                \
  if (RunInShell("command -v " name " >/dev/null", folder_.path()).status != 0) { \
    GTEST_SKIP() << "needs " name ", which is not on this machine";               \
  }

class GeneratedText : public testing::Test {
 protected:
  // What bash offers for the last of `words`, one per line.
  std::string BashOffers(const std::string& words) {
    const ProgramRun run = RunInShell(
        "tensorguard completion bash > script && bash -c 'source ./script; "
        "COMP_WORDS=(tensorguard " +
            words +
            "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tensorguard; "
            "printf \"%s\\n\" \"${COMPREPLY[@]}\"'",
        folder_.path());
    EXPECT_EQ(run.status, 0) << run.messages;
    EXPECT_EQ(run.messages, "");
    return run.output;
  }

  ScratchFolder folder_;
};

TEST_F(GeneratedText, ManualPageHasNoWarnings) {
  SKIP_WITHOUT_PROGRAM("groff");
  const ProgramRun run =
      RunInShell("tensorguard man > page && groff -man -Tutf8 -ww -z page", folder_.path());
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.messages, "");
}

TEST_F(GeneratedText, ManualPageShowsCommandsAndOptions) {
  SKIP_WITHOUT_PROGRAM("groff");
  const ProgramRun run =
      RunInShell("tensorguard man | groff -man -Tascii -P-c | sed 's/.\\x08//g'", folder_.path());
  EXPECT_THAT(run.output, HasSubstr("tensorguard convert [OPTIONS] MODEL -o FILE"));
  EXPECT_THAT(run.output, HasSubstr("--fail-on VERDICT,..."));
  EXPECT_THAT(
      run.output,
      HasSubstr(
          "tensorguard completion bash > ~/.local/share/bash-completion/completions/tensorguard"));
  EXPECT_THAT(run.output, HasSubstr("EXIT STATUS"));
}

TEST_F(GeneratedText, BashCompletesCommandsOptionsAndValues) {
  EXPECT_EQ(BashOffers("c"), "compare\nclassify\ncluster\nconvert\ncompletion\n");
  EXPECT_EQ(BashOffers("inspect --t"), "--tensors\n");
  EXPECT_EQ(BashOffers("convert m --dtype b"), "bf16\n");
  EXPECT_EQ(BashOffers("cluster --method \"\""), "kmeans\ngmm\n");
  EXPECT_EQ(BashOffers("completion z"), "zsh\n");
  EXPECT_EQ(BashOffers("inspect m"), "\n");  // nothing of ours: file names
}

TEST_F(GeneratedText, ZshReadsItsScript) {
  SKIP_WITHOUT_PROGRAM("zsh");
  const ProgramRun run =
      RunInShell("tensorguard completion zsh > script && zsh -n script", folder_.path());
  EXPECT_EQ(run.status, 0) << run.messages;
  EXPECT_EQ(run.messages, "");
}

TEST_F(GeneratedText, FishReadsItsScript) {
  SKIP_WITHOUT_PROGRAM("fish");
  const ProgramRun run = RunInShell(
      "tensorguard completion fish > script && fish --no-config -c 'source script; "
      "complete -C \"tensorguard convert --dty\"'",
      folder_.path());
  EXPECT_EQ(run.status, 0) << run.messages;
  EXPECT_THAT(run.output, HasSubstr("--dtype"));
}

}  // namespace
}  // namespace tensorguard::internal
