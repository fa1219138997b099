// The folder of a path that names a file.
#ifndef TENSORGUARD_BASE_FOLDER_OF_H_
#define TENSORGUARD_BASE_FOLDER_OF_H_

#include <filesystem>

namespace tensorguard::internal {

// "." for a bare name.
inline std::filesystem::path FolderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_FOLDER_OF_H_
