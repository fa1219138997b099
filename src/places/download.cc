#include "places/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/system_error.h"

namespace tensorguard {
namespace {

Error EndsBefore(const std::string& path, uint64_t offset_bytes) {
  return {.problem = "file ends while being read", .file = path, .byte_offset = offset_bytes};
}

class MemoryFile : public File {
 public:
  MemoryFile(std::string path, std::vector<std::byte> bytes)
      : File(std::move(path), bytes.size()), bytes_(std::move(bytes)) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > bytes_.size() || out.size() > bytes_.size() - offset_bytes) {
      return EndsBefore(path(), offset_bytes);
    }
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset_bytes), out.size(), out.begin());
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
};

class TemporaryFile : public File {
 public:
  TemporaryFile(std::string path, uint64_t size_bytes, int descriptor)
      : File(std::move(path), size_bytes), descriptor_(descriptor) {}
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
};

}  // namespace

Download::Download(Limits limits) : limits_(std::move(limits)) {}

Download::~Download() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Download::Download(Download&& other) noexcept
    : limits_(std::move(other.limits_)),
      size_bytes_(other.size_bytes_),
      memory_(std::move(other.memory_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Result<void> Download::CheckFits(uint64_t size_bytes) const {
  if (size_bytes <= std::max(limits_.most_memory_bytes, limits_.most_temporary_bytes)) return {};
  return Error{
      .kind = ErrorKind::kUnsupported,
      .problem = "server sends whole files only, and this one is too large to be kept",
      .found = fmt::format("{} bytes or more", size_bytes),
      .expected = fmt::format("at most {} bytes, or a server that answers range requests",
                              std::max(limits_.most_memory_bytes, limits_.most_temporary_bytes)),
      .advice = "download the file and give its path"};
}

Result<void> Download::Append(std::span<const std::byte> bytes) {
  if (auto fits = CheckFits(size_bytes_ + bytes.size()); !fits) return fits;
  const bool in_memory = descriptor_ < 0 && size_bytes_ + bytes.size() <= limits_.most_memory_bytes;
  size_bytes_ += bytes.size();
  if (in_memory) {
    memory_.insert(memory_.end(), bytes.begin(), bytes.end());
    return {};
  }
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
  if (descriptor_ < 0) return std::make_shared<MemoryFile>(std::move(path), std::move(memory_));
  return std::make_shared<TemporaryFile>(std::move(path), size_bytes_,
                                         std::exchange(descriptor_, -1));
}

}  // namespace tensorguard
