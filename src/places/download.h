// A file fetched whole, for servers that give no ranges.
#ifndef TENSORGUARD_PLACES_DOWNLOAD_H_
#define TENSORGUARD_PLACES_DOWNLOAD_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace tensorguard {

// Holds what is appended in memory up to a limit, then in a temporary file that has no name, so
// that nothing of it is left whatever happens.
class Download {
 public:
  struct Limits {
    uint64_t most_memory_bytes = 0;
    uint64_t most_temporary_bytes = 0;
    std::filesystem::path temporary_folder;
  };
  explicit Download(Limits limits);
  ~Download();
  Download(Download&& other) noexcept;
  Download& operator=(Download&&) = delete;

  // Errors: kUnsupported beyond the limit, kSystem if the disk is full.
  Result<void> Append(std::span<const std::byte> bytes);

  // kUnsupported if a file of that size is beyond the limit.
  Result<void> CheckFits(uint64_t size_bytes) const;

  uint64_t size_bytes() const { return size_bytes_; }

  // The file, called `path` in messages.
  std::shared_ptr<const File> Finish(std::string path) &&;

 private:
  Result<void> MoveToTemporaryFile();
  Result<void> Write(std::span<const std::byte> bytes);

  Limits limits_;
  uint64_t size_bytes_ = 0;
  std::vector<std::byte> memory_;
  int descriptor_ = -1;  // of the temporary file, once there is one
};

}  // namespace tensorguard

#endif  // TENSORGUARD_PLACES_DOWNLOAD_H_
