// Memory that runs out: whatever the program does then, it ends with status 2 and a message, never
// with status 1 (which is a verdict's), a signal or a hang, and it leaves no half-written file.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/program.h"
#include "tests/cli/sample_models.h"
#include "tests/faults/failing_allocations.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

struct EndedRun {
  int status = 0;
  uint64_t allocations = 0;
  std::string output;
};

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// In a process of its own: the program may end itself.
EndedRun RunFailing(const std::vector<std::string>& arguments, FailingAllocations which,
                    uint64_t first, const fs::path& scratch) {
  const std::string captured = scratch / "captured";
  const std::string counted = scratch / "counted";
  const pid_t child = ::fork();
  if (child == 0) {
    const int file = ::open(captured.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    int status = 0;
    uint64_t allocations = 0;
    {
      const AllocationFault fault(which, first);
      status = cli::RunProgram(arguments);
      allocations = fault.allocations();
    }
    std::ofstream(counted) << allocations;
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EndedRun run;
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.output = Contents(captured);
  run.allocations = std::strtoull(Contents(counted).c_str(), nullptr, 10);
  return run;
}

class AllocationFaults : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(AllocationFaults, EndWithStatusTwoAndAMessage) {
  const ScratchFolder folder;
  WriteSampleModels(folder);
  const ScratchFolder scratch;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const auto run = [&](FailingAllocations which, uint64_t first) {
    return RunFailing(GetParam(), which, first, scratch.path());
  };
  const EndedRun whole = run(FailingAllocations::kOne, ~uint64_t{0});
  ASSERT_EQ(whole.status, 0) << whole.output;
  // Each of the first, then ever fewer: about seventy in all.
  for (uint64_t first = 1; first <= whole.allocations; first += 1 + first / 8) {
    for (const auto which : {FailingAllocations::kOne, FailingAllocations::kAllFrom}) {
      SCOPED_TRACE(first);
      fs::remove_all("out");
      const EndedRun failed = run(which, first);
      const bool passed = failed.status == 0 && which == FailingAllocations::kOne;
      if (!passed) {
        EXPECT_EQ(failed.status, 2) << failed.output;
        EXPECT_NE(failed.output, "");
      }
      if (!fs::exists("out")) continue;
      EXPECT_EQ(failed.status, 0) << "an output in spite of the error";
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(".")) {
    EXPECT_EQ(entry.path().filename().string().find(".partial"), std::string::npos) << entry.path();
  }
  fs::current_path(before);
}

INSTANTIATE_TEST_SUITE_P(
    Commands, AllocationFaults,
    testing::Values(std::vector<std::string>{"inspect", "tiny"},
                    std::vector<std::string>{"fingerprint", "tiny", "-o", "out", "--threads", "2"},
                    std::vector<std::string>{"compare", "tiny", "copy", "--threads", "2"},
                    std::vector<std::string>{"convert", "tiny", "-o", "out"}),
    [](const auto& command) { return command.param[0]; });

}  // namespace
}  // namespace tensorguard::internal
