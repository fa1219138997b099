#include "places/http/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/system_error.h"

namespace tensorguard::internal {
namespace {

Error EndsBefore(const std::string& path, uint64_t offset_bytes) {
  return {.problem = "file ends while being read", .file = path, .byte_offset = offset_bytes};
}

class MemoryFile : public File {
 public:
  MemoryFile(std::string path, std::vector<std::byte> bytes, HeldShare share)
      : File(std::move(path), bytes.size()), bytes_(std::move(bytes)), share_(std::move(share)) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > bytes_.size() || out.size() > bytes_.size() - offset_bytes) {
      return EndsBefore(path(), offset_bytes);
    }
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset_bytes), out.size(), out.begin());
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
  HeldShare share_;
};

class TemporaryFile : public File {
 public:
  TemporaryFile(std::string path, uint64_t size_bytes, int descriptor, HeldShare share)
      : File(std::move(path), size_bytes), descriptor_(descriptor), share_(std::move(share)) {}
  ~TemporaryFile() override { ::close(descriptor_); }

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t count =
          ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset_bytes));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError("read the temporary copy of", path(), errno);
      if (count == 0) return EndsBefore(path(), offset_bytes);
      out = out.subspan(static_cast<size_t>(count));
      offset_bytes += static_cast<uint64_t>(count);
    }
    return {};
  }

 private:
  int descriptor_;
  HeldShare share_;
};

uint64_t LeftOf(uint64_t most, uint64_t held) { return most > held ? most - held : 0; }

}  // namespace

HeldShare::HeldShare(HeldShare&& other) noexcept
    : total_(std::move(other.total_)), bytes_(std::exchange(other.bytes_, 0)) {}

bool HeldShare::Take(uint64_t bytes, uint64_t most) {
  uint64_t held = *total_;
  do {
    if (bytes > LeftOf(most, held)) return false;
  } while (!total_->compare_exchange_weak(held, held + bytes));
  bytes_ += bytes;
  return true;
}

void HeldShare::GiveBack() {
  if (bytes_ > 0) *total_ -= std::exchange(bytes_, 0);
}

Download::Download(Limits limits)
    : limits_(std::move(limits)),
      memory_share_({limits_.held, &limits_.held->memory_bytes}),
      temporary_share_({limits_.held, &limits_.held->temporary_bytes}) {}

Download::~Download() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Download::Download(Download&& other) noexcept
    : limits_(std::move(other.limits_)),
      memory_share_(std::move(other.memory_share_)),
      temporary_share_(std::move(other.temporary_share_)),
      size_bytes_(other.size_bytes_),
      memory_(std::move(other.memory_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Error Download::TooLarge(uint64_t size_bytes) const {
  return {
      .kind = ErrorKind::kUnsupported,
      .problem = "server sends whole files only, and this one is too large to be kept",
      .found = fmt::format("{} bytes or more", size_bytes),
      .expected = fmt::format(
          "at most {} bytes of all such files together, or a server that answers range requests",
          std::max(limits_.most_memory_bytes, limits_.most_temporary_bytes)),
      .advice = "download the file and give its path"};
}

Result<void> Download::CheckFits(uint64_t size_bytes) const {
  const uint64_t memory = LeftOf(limits_.most_memory_bytes, limits_.held->memory_bytes);
  const uint64_t temporary = LeftOf(limits_.most_temporary_bytes, limits_.held->temporary_bytes);
  if (size_bytes <= std::max(memory, temporary)) return {};
  return TooLarge(size_bytes);
}

Result<void> Download::Append(std::span<const std::byte> bytes) {
  const bool in_memory =
      descriptor_ < 0 && memory_share_.Take(bytes.size(), limits_.most_memory_bytes);
  const uint64_t before = size_bytes_;
  size_bytes_ += bytes.size();
  if (in_memory) {
    memory_.insert(memory_.end(), bytes.begin(), bytes.end());
    return {};
  }
  const uint64_t more = bytes.size() + (descriptor_ < 0 ? before : 0);
  if (!temporary_share_.Take(more, limits_.most_temporary_bytes)) return TooLarge(size_bytes_);
  if (descriptor_ < 0) {
    if (auto moved = MoveToTemporaryFile(); !moved) return moved;
  }
  return Write(bytes);
}

Result<void> Download::MoveToTemporaryFile() {
  std::string name = (limits_.temporary_folder / "tensorguard-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) return SystemError("create", name, errno);
  ::unlink(name.c_str());
  auto written = Write(memory_);
  memory_ = {};
  memory_share_.GiveBack();
  return written;
}

Result<void> Download::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", limits_.temporary_folder.string(), errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

std::shared_ptr<const File> Download::Finish(std::string path) && {
  if (descriptor_ < 0) {
    return std::make_shared<MemoryFile>(std::move(path), std::move(memory_),
                                        std::move(memory_share_));
  }
  return std::make_shared<TemporaryFile>(
      std::move(path), size_bytes_, std::exchange(descriptor_, -1), std::move(temporary_share_));
}

}  // namespace tensorguard::internal
