// A file fetched whole, for servers that give no ranges.
#ifndef TENSORGUARD_PLACES_HTTP_DOWNLOAD_H_
#define TENSORGUARD_PLACES_HTTP_DOWNLOAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What all downloads of one place hold together: each has its limit there.
struct HeldDownloads {
  std::atomic<uint64_t> memory_bytes = 0;
  std::atomic<uint64_t> temporary_bytes = 0;
};

// A download's part of such a number, given back at its end.
class HeldShare {
 public:
  explicit HeldShare(std::shared_ptr<std::atomic<uint64_t>> total) : total_(std::move(total)) {}
  ~HeldShare() { GiveBack(); }
  HeldShare(HeldShare&& other) noexcept;
  HeldShare& operator=(HeldShare&&) = delete;

  // False, and nothing taken, where the total would be more than `most`.
  bool Take(uint64_t bytes, uint64_t most);
  void GiveBack();

 private:
  std::shared_ptr<std::atomic<uint64_t>> total_;
  uint64_t bytes_ = 0;
};

// Holds what is appended in memory up to a limit, then in a temporary file that has no name, so
// that nothing of it is left whatever happens. The file gives its share back when it is closed.
class Download {
 public:
  struct Limits {
    uint64_t most_memory_bytes = 0;
    uint64_t most_temporary_bytes = 0;
    std::filesystem::path temporary_folder = {};
    std::shared_ptr<HeldDownloads> held = std::make_shared<HeldDownloads>();
  };
  explicit Download(Limits limits);
  ~Download();
  Download(Download&& other) noexcept;
  Download& operator=(Download&&) = delete;

  // Errors: kUnsupported beyond the limit, kSystem if the disk is full.
  Result<void> Append(std::span<const std::byte> bytes);

  // kUnsupported if a file of that size is beyond what the limits leave now.
  Result<void> CheckFits(uint64_t size_bytes) const;

  uint64_t size_bytes() const { return size_bytes_; }

  // The file, called `path` in messages.
  std::shared_ptr<const File> Finish(std::string path) &&;

 private:
  Error TooLarge(uint64_t size_bytes) const;
  Result<void> MoveToTemporaryFile();
  Result<void> Write(std::span<const std::byte> bytes);

  Limits limits_;
  HeldShare memory_share_;
  HeldShare temporary_share_;
  uint64_t size_bytes_ = 0;
  std::vector<std::byte> memory_;
  int descriptor_ = -1;  // of the temporary file, once there is one
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_DOWNLOAD_H_
