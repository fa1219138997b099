// A file written beside its place and put there when it is whole.
#ifndef TENSORGUARD_BASE_ATOMIC_FILE_H_
#define TENSORGUARD_BASE_ATOMIC_FILE_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Not thread-safe. Readers of the path see what was there before until Commit, which replaces it in
// one step; without Commit nothing changes and nothing is left behind. A symbolic link stays, and
// the file that it names is replaced. Devices, pipes and open files (/dev/stdout) are written to as
// the bytes come: there is nothing to replace.
class AtomicFile {
 public:
  // Errors: kNotFound if the folder is missing, kSystem, also for a folder.
  static Result<std::unique_ptr<AtomicFile>> Create(const std::filesystem::path& path);

  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }

  // Errors: kSystem (no space left, say).
  Result<void> Append(std::span<const std::byte> bytes);

  // What was written is on the disk before it takes the path's place, and the change of the folder
  // after. REQUIRES: called once, and nothing is appended afterwards.
  Result<void> Commit();

 private:
  AtomicFile(std::string path, std::string target, std::string partial_path, int descriptor);

  static Result<std::unique_ptr<AtomicFile>> CreateBeside(std::string path, std::string target,
                                                          int mode);
  Result<void> Close();
  Result<void> Replace();

  std::string path_;          // as it was given, for messages
  std::string target_;        // what is replaced: `path_` after its symbolic links
  std::string partial_path_;  // empty where bytes are written to the target itself
  int descriptor_;            // -1 when closed
  bool committed_ = false;
};

// Removes what no AtomicFile has committed yet: for a program that a signal is about to end. Safe
// in a signal handler. Of more than 64 files under way at once, only 64 are removed.
void RemovePartialFiles() noexcept;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_ATOMIC_FILE_H_
