#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/atomic_file.h"
#include "base/system_error.h"
#include "base/try.h"

namespace tensorguard::internal {

namespace {

class LocalFile : public File {
 public:
  // Owns `descriptor`.
  LocalFile(std::string path, int descriptor, uint64_t size_bytes)
      : File(std::move(path), size_bytes), descriptor_(descriptor) {}
  ~LocalFile() override { ::close(descriptor_); }

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override;

 private:
  int descriptor_;
};

Result<void> LocalFile::ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count =
        ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset_bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", path(), errno);
    if (count == 0) {
      return Error{.kind = ErrorKind::kBadFile,
                   .problem = "file ends while being read",
                   .file = path(),
                   .byte_offset = offset_bytes,
                   .expected = fmt::format("{} more bytes", out.size()),
                   .advice = "check that nothing writes to the file, then run again"};
    }
    out = out.subspan(static_cast<size_t>(count));
    offset_bytes += static_cast<uint64_t>(count);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const File>> File::Open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return SystemError("open", path.string(), errno);
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    const int error_number = errno;
    ::close(descriptor);
    return SystemError("inspect", path.string(), error_number);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error{
        .kind = ErrorKind::kBadFile, .problem = "not a regular file", .file = path.string()};
  }
  return std::shared_ptr<const File>(std::make_shared<LocalFile>(
      path.string(), descriptor, static_cast<uint64_t>(status.st_size)));
}

Result<std::string> ReadSmallFile(const std::filesystem::path& path, uint64_t limit_bytes) {
  TG_ASSIGN(auto file, File::Open(path));
  return ReadWholeFile(*file, limit_bytes);
}

Result<std::string> ReadWholeFile(const File& file, uint64_t limit_bytes) {
  const uint64_t size_bytes = file.size_bytes();
  if (size_bytes > limit_bytes) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "file is too large for what it should hold",
                 .file = file.path(),
                 .found = fmt::format("{} bytes", size_bytes),
                 .expected = fmt::format("at most {} bytes", limit_bytes)};
  }
  std::string contents(size_bytes, '\0');
  TG_TRY(file.ReadAt(0, std::as_writable_bytes(std::span(contents))));
  return contents;
}

Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view contents) {
  TG_ASSIGN(auto file, AtomicFile::Create(path));
  auto written = file->Append(std::as_bytes(std::span(contents)));
  if (!written) return written;
  return file->Commit();
}

}  // namespace tensorguard::internal
