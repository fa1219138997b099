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
// one step; without Commit nothing changes and nothing is left behind.
class AtomicFile {
 public:
  // Errors: kNotFound if the folder is missing, kSystem.
  static Result<std::unique_ptr<AtomicFile>> Create(const std::filesystem::path& path);

  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }

  // Errors: kSystem (no space left, say).
  Result<void> Append(std::span<const std::byte> bytes);

  // REQUIRES: called once, and nothing is appended afterwards.
  Result<void> Commit();

 private:
  AtomicFile(std::string path, std::string partial_path, int descriptor);

  std::string path_;
  std::string partial_path_;
  int descriptor_;  // -1 when closed
  bool committed_ = false;
};

// Removes what no AtomicFile has committed yet: for a program that a signal is about to end. Safe
// in a signal handler. Of more than 64 files under way at once, only 64 are removed.
void RemovePartialFiles() noexcept;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_ATOMIC_FILE_H_
