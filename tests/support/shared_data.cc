#include "tests/support/shared_data.h"

#include <cstdlib>

namespace tensorguard::internal {

std::filesystem::path SharedData(const std::filesystem::path& relative) {
  const char* root = std::getenv("TENSORGUARD_SHARED");
  if (root != nullptr) return std::filesystem::path(root) / relative;
  return std::filesystem::path(TENSORGUARD_SOURCE_DIR).parent_path() / "shared" / relative;
}

std::filesystem::path SourceFile(const std::filesystem::path& relative) {
  return std::filesystem::path(TENSORGUARD_SOURCE_DIR) / relative;
}

}  // namespace tensorguard::internal
