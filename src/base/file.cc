#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace tensorguard {
namespace {

std::string SystemMessage(int error_number) {
  return std::generic_category().message(error_number);
}

Error SystemError(std::string_view action, const std::string& path, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  return {.kind = missing ? ErrorKind::kNotFound : ErrorKind::kSystem,
          .problem = fmt::format("cannot {}: {}", action, SystemMessage(error_number)),
          .file = path};
}

Result<void> WriteAll(int descriptor, std::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(descriptor, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path, errno);
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

File::File(std::string path, int descriptor, uint64_t size_bytes)
    : path_(std::move(path)), descriptor_(descriptor), size_bytes_(size_bytes) {}

File::~File() { ::close(descriptor_); }

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
  return std::shared_ptr<const File>(
      new File(path.string(), descriptor, static_cast<uint64_t>(status.st_size)));
}

Result<void> File::ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count =
        ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset_bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", path_, errno);
    if (count == 0) {
      return Error{.kind = ErrorKind::kBadFile,
                   .problem = "file ends while being read",
                   .file = path_,
                   .byte_offset = offset_bytes,
                   .expected = fmt::format("{} more bytes", out.size()),
                   .advice = "check that nothing writes to the file, then run again"};
    }
    out = out.subspan(static_cast<size_t>(count));
    offset_bytes += static_cast<uint64_t>(count);
  }
  return {};
}

Result<std::string> ReadSmallFile(const std::filesystem::path& path, uint64_t limit_bytes) {
  auto file = File::Open(path);
  if (!file) return std::move(file).error();
  const uint64_t size_bytes = (*file)->size_bytes();
  if (size_bytes > limit_bytes) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "file is too large for what it should hold",
                 .file = path.string(),
                 .found = fmt::format("{} bytes", size_bytes),
                 .expected = fmt::format("at most {} bytes", limit_bytes)};
  }
  std::string contents(size_bytes, '\0');
  auto read = (*file)->ReadAt(0, std::as_writable_bytes(std::span(contents)));
  if (!read) return std::move(read).error();
  return contents;
}

Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view contents) {
  std::string partial = path.string() + ".partial-XXXXXX";
  const int descriptor = ::mkostemp(partial.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError("create", path.string(), errno);
  Result<void> written = WriteAll(descriptor, contents, path.string());
  // mkstemp makes the file private; results are for others to read too.
  if (written && ::fchmod(descriptor, 0644) != 0) {
    written = SystemError("set permissions of", path.string(), errno);
  }
  if (::close(descriptor) != 0 && written) written = SystemError("close", path.string(), errno);
  if (written && ::rename(partial.c_str(), path.c_str()) != 0) {
    written = SystemError("rename to", path.string(), errno);
  }
  if (!written) ::unlink(partial.c_str());
  return written;
}

}  // namespace tensorguard
