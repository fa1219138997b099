// Material that lies beside the project and is never copied into it.
#ifndef TENSORGUARD_TESTS_SUPPORT_SHARED_DATA_H_
#define TENSORGUARD_TESTS_SUPPORT_SHARED_DATA_H_

#include <filesystem>

namespace tensorguard::internal {

// The folder `relative` of the shared material: below $TENSORGUARD_SHARED if that is set, else
// below
// ../shared of the project. Use with SKIP_WITHOUT.
std::filesystem::path SharedData(const std::filesystem::path& relative);

// A file of the project's own sources.
std::filesystem::path SourceFile(const std::filesystem::path& relative);

// Ends the test as skipped, with the reason, where `path` does not exist.
#define SKIP_WITHOUT(path)                                                  \
  if (!std::filesystem::exists(path)) {                                     \
    GTEST_SKIP() << "needs " << (path) << ", which is not on this machine"; \
  }

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_SHARED_DATA_H_
