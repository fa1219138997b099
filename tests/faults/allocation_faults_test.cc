// Memory that runs out: whatever the program does then, it ends with status 2 and a message, never
// with status 1 (which is a verdict's), a signal or a hang, and it leaves no half-written file.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

// Both outputs of the program to one file.
class CapturedOutput {
 public:
  explicit CapturedOutput(fs::path path) : path_(std::move(path)) {
    const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (const int descriptor : {1, 2}) {
      kept_.push_back(::dup(descriptor));
      ::dup2(file, descriptor);
    }
    ::close(file);
  }
  std::string Finish() {
    std::fflush(nullptr);
    for (const int descriptor : {1, 2}) {
      ::dup2(kept_[static_cast<size_t>(descriptor) - 1], descriptor);
      ::close(kept_[static_cast<size_t>(descriptor) - 1]);
    }
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  fs::path path_;
  std::vector<int> kept_;
};

struct EndedRun {
  int status = 0;
  uint64_t allocations = 0;
  std::string output;
};

EndedRun RunFailing(const std::vector<std::string>& arguments, FailingAllocations which,
                    uint64_t first, const fs::path& scratch) {
  EndedRun run;
  CapturedOutput captured(scratch / "captured");
  {
    const AllocationFault fault(which, first);
    run.status = cli::RunProgram(arguments);
    run.allocations = fault.allocations();
  }
  run.output = captured.Finish();
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
  run(FailingAllocations::kOne, ~uint64_t{0});  // what is made once for all
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
