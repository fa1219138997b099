// A folder of its own for one test, removed at the end.
#ifndef TENSORGUARD_TESTS_SUPPORT_SCRATCH_FOLDER_H_
#define TENSORGUARD_TESTS_SUPPORT_SCRATCH_FOLDER_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace tensorguard::internal {

class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Writes `contents` to `name` in the folder (making folders on the way) and returns its path.
  std::filesystem::path Write(const std::string& name, std::string_view contents) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_SCRATCH_FOLDER_H_
