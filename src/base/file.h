// A file opened for reading at positions, and small whole files.
#ifndef TENSORGUARD_BASE_FILE_H_
#define TENSORGUARD_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Bytes of a known number, wherever they lie. Thread-safe: any thread may call ReadAt at any time.
class File {
 public:
  // A file of this machine, read with pread, not mmap: one that shrinks while we read is then an
  // error value instead of a SIGBUS. Errors: kNotFound, kSystem; kBadFile if `path` is a directory,
  // device or pipe.
  static Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path);

  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }

  // Fills `out` from byte `offset_bytes` on. Errors: kBadFile if the file ends before or changed
  // since it was opened, kSystem.
  virtual Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const = 0;

 protected:
  File(std::string path, uint64_t size_bytes) : path_(std::move(path)), size_bytes_(size_bytes) {}

 private:
  std::string path_;
  uint64_t size_bytes_;
};

// The whole of a small file (configs, indexes). Errors as File::Open; kBadFile above `limit_bytes`.
Result<std::string> ReadSmallFile(const std::filesystem::path& path, uint64_t limit_bytes);

// The same of a file already open.
Result<std::string> ReadWholeFile(const File& file, uint64_t limit_bytes);

// Writes beside `path` and renames, so that a reader never sees half a file. Errors: as AtomicFile.
Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_FILE_H_
