// The real program among calls that fail, signals that end it, and files that change while it reads
// them: an output is whole or not there, an error has status 2 and a message, and nothing is left
// that stands in the way of the next run.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/program_runner.h"
#include "tests/cli/sample_models.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// How many times as much is tried; one by default, so that it takes a minute.
const int kTimes = [] {
  const char* const times = std::getenv("TENSORGUARD_FAULT_TIMES");
  return times == nullptr ? 1 : std::max(1, std::atoi(times));
}();

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

size_t Partials(const fs::path& folder) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += entry.path().filename().string().find(".partial-") != std::string::npos ? 1 : 0;
  }
  return count;
}

struct Command {
  const char* name;
  const char* line;  // writes "out"
};

constexpr Command kCommands[] = {
    {"fingerprint", "tensorguard fingerprint tiny -q --threads 1 -o out"},
    {"convert", "tensorguard convert tiny -q -o out"},
};

class Faults : public testing::TestWithParam<Command> {
 protected:
  Faults() { WriteSampleModels(folder_); }

  const fs::path& folder() const { return folder_.path(); }
  fs::path out() const { return folder() / "out"; }

 private:
  ScratchFolder folder_;
};

std::string Preloaded(const std::string& call, long at, const std::string& line) {
  return fmt::format(
      "export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0\n"
      "FAULT_CALL={} FAULT_AT={} FAULT_COUNT=count LD_PRELOAD='{}' {}",
      call, at, TENSORGUARD_FAILING_CALLS, line);
}

TEST_P(Faults, EveryCallThatFailsIsAnError) {
  const std::string whole = [&] {
    EXPECT_EQ(RunInShell(GetParam().line, folder()).status, 0);
    return Contents(out());
  }();
  for (const char* call : {"open", "fstat", "pread", "write", "fsync", "rename"}) {
    const ProgramRun counted = RunInShell(Preloaded(call, 0, GetParam().line), folder());
    ASSERT_EQ(counted.status, 0) << counted.messages;
    const long calls = std::stol(Contents(folder() / "count"));
    ASSERT_GT(calls, 0) << call;
    long failures = 0;
    // All of them where they are few.
    for (long at = 1; at <= calls; at += 1 + calls / (8 * kTimes)) {
      SCOPED_TRACE(fmt::format("{} number {} of {}", call, at, calls));
      fs::remove(out());
      const ProgramRun run = RunInShell(Preloaded(call, at, GetParam().line), folder());
      EXPECT_TRUE(run.status == 0 || run.status == 2) << run.status << run.messages;
      if (run.status == 2) {
        EXPECT_NE(run.messages, "");
      }
      if (run.status == 0) {
        EXPECT_EQ(Contents(out()), whole);
      }
      if (fs::exists(out())) {
        EXPECT_EQ(Contents(out()), whole);
      }
      EXPECT_EQ(Partials(folder()), 0u);
      failures += run.status == 2 ? 1 : 0;
    }
    EXPECT_GT(failures, 0) << call << ": no failure was noticed";
  }
}

// SIGKILL cannot be caught: what it leaves must not stand in the way.
TEST_P(Faults, AnOutputIsWholeOrNotThere) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(RunInShell(GetParam().line, folder()).status, 0);
  const auto usual = std::chrono::steady_clock::now() - began;
  const std::string whole = Contents(out());
  std::mt19937 random(7);
  size_t left = 0;
  for (int i = 0; i < 20 * kTimes; ++i) {
    if (i % 2 == 0) fs::remove(out());
    const std::string before = Contents(out());
    const pid_t child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      if (::chdir(folder().c_str()) != 0) ::_exit(3);
      const int null = ::open("/dev/null", O_RDWR);
      for (const int descriptor : {0, 1, 2}) ::dup2(null, descriptor);
      const std::string path =
          fs::path(TENSORGUARD_PROGRAM).parent_path().string() + ":/usr/bin:/bin";
      ::setenv("PATH", path.c_str(), 1);
      ::execl("/bin/sh", "sh", "-c", GetParam().line, nullptr);
      ::_exit(3);
    }
    ::setpgid(child, child);
    const auto wait = std::uniform_real_distribution<double>(0, 1.2)(random) * usual;
    std::this_thread::sleep_for(std::chrono::duration_cast<std::chrono::microseconds>(wait));
    ::kill(-child, i % 3 == 0 ? SIGTERM : SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const std::string after = Contents(out());
    EXPECT_TRUE(after == whole || after == before) << "torn after " << i;
    left += Partials(folder());
  }
  const ProgramRun last = RunInShell(GetParam().line, folder());
  EXPECT_EQ(last.status, 0) << last.messages << left;
  EXPECT_EQ(Contents(out()), whole);
}

TEST_P(Faults, FilesThatChangeGiveTheirAnswerOrAnError) {
  EXPECT_EQ(RunInShell(GetParam().line, folder()).status, 0);
  const std::string whole = Contents(out());
  const fs::path weights = folder() / "tiny" / "model.safetensors";
  const std::string good = Contents(weights);
  std::mt19937 random(11);
  for (int i = 0; i < 12 * kTimes; ++i) {
    std::ofstream(weights, std::ios::binary | std::ios::trunc) << good;
    fs::remove(out());
    std::thread change([&, kind = i % 4, delay = random() % 60'000] {
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
      if (kind == 0) fs::resize_file(weights, good.size() / 2);
      if (kind == 1) std::ofstream(weights, std::ios::binary | std::ios::app) << "more";
      if (kind == 2) {
        std::ofstream(weights.string() + ".new", std::ios::binary) << good.substr(0, 1000);
        fs::rename(weights.string() + ".new", weights);
      }
      if (kind == 3) fs::remove(weights);
    });
    const ProgramRun run = RunInShell(GetParam().line, folder());
    change.join();
    EXPECT_TRUE(run.status == 0 || run.status == 2) << run.status << run.messages;
    if (run.status == 0) {
      EXPECT_EQ(Contents(out()), whole);
    }
    if (run.status == 2) {
      EXPECT_FALSE(fs::exists(out()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, Faults, testing::ValuesIn(kCommands),
                         [](const auto& command) { return std::string(command.param.name); });

// As process 1 of a container every run has one id; what killed runs left must not block the next.
TEST(Outputs, NothingThatWasLeftBehindBlocks) {
  const ScratchFolder folder;
  WriteSampleModels(folder);
  for (int i = 0; i < 200; ++i) folder.Write(fmt::format("out.partial-1-{}", i), "left");
  EXPECT_EQ(RunInShell(kCommands[1].line, folder.path()).status, 0);
}

TEST(Outputs, DevicesLinksAndFolders) {
  const ScratchFolder folder;
  WriteSampleModels(folder);
  const auto run = [&](const std::string& line) { return RunInShell(line, folder.path()); };
  ASSERT_EQ(run("tensorguard convert tiny -q -o out").status, 0);
  const std::string whole = Contents(folder.path() / "out");

  EXPECT_EQ(run("tensorguard convert tiny -q -o /dev/null").status, 0);
  EXPECT_EQ(run("test -c /dev/null").status, 0);
  EXPECT_EQ(run("tensorguard convert tiny -q -o /dev/stdout | cmp - out").status, 0);
  EXPECT_EQ(run("tensorguard convert tiny -q -o /dev/stdout > copied && cmp copied out").status, 0);
  EXPECT_EQ(run("mkfifo pipe && (cat pipe > copied & tensorguard convert tiny -q -o pipe; wait) && "
                "cmp copied out && test -p pipe")
                .status,
            0);
  const ProgramRun full = run("tensorguard convert tiny -q -o /dev/full");
  EXPECT_EQ(full.status, 2);
  EXPECT_THAT(full.messages, HasSubstr("No space left on device"));

  fs::create_directories(folder.path() / "below");
  fs::create_symlink("below/target", folder.path() / "link");
  EXPECT_EQ(run("tensorguard convert tiny -q -o link").status, 0);
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_EQ(Contents(folder.path() / "below" / "target"), whole);

  const ProgramRun to_folder = run("tensorguard compare tiny other --html below");
  EXPECT_EQ(to_folder.status, 2);
  EXPECT_THAT(to_folder.messages, HasSubstr("Is a directory"));
  EXPECT_EQ(run("tensorguard convert tiny -q -o " + std::string(255, 'n')).status, 0);
  EXPECT_THAT(run("ls -a . below").output, Not(HasSubstr(".partial")));
}

}  // namespace
}  // namespace tensorguard::internal
