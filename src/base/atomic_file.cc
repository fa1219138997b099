#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/system_error.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kMostNamesTried = 100;

// The paths of files under way, for RemovePartialFiles: a signal handler may look at nothing but
// lock-free atomics. A path belongs to its AtomicFile, which stays where it is.
using PathSlot = std::atomic<const char*>;
static_assert(PathSlot::is_always_lock_free);
std::array<PathSlot, 64> g_partial_paths;

void Replace(const char* from, const char* to) {
  for (PathSlot& slot : g_partial_paths) {
    const char* expected = from;
    if (slot.compare_exchange_strong(expected, to)) return;
  }
}

void Remember(const std::string& path) { Replace(nullptr, path.c_str()); }
void Forget(const std::string& path) { Replace(path.c_str(), nullptr); }

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string partial_path, int descriptor)
    : path_(std::move(path)), partial_path_(std::move(partial_path)), descriptor_(descriptor) {
  Remember(partial_path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) ::unlink(partial_path_.c_str());
  Forget(partial_path_);
}

// Not mkstemp, which makes private files: with open the user's umask decides who may read.
Result<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::filesystem::path& path) {
  for (unsigned i = 0; i < kMostNamesTried; ++i) {
    std::string partial_path = fmt::format("{}.partial-{}-{}", path.string(), ::getpid(), i);
    const int descriptor =
        ::open(partial_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return SystemError("create", path.string(), errno);
    return std::unique_ptr<AtomicFile>(
        new AtomicFile(path.string(), std::move(partial_path), descriptor));
  }
  return SystemError("create", path.string(), EEXIST);
}

Result<void> AtomicFile::Append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> AtomicFile::Commit() {
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) return SystemError("close", path_, errno);
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    return SystemError("rename to", path_, errno);
  }
  committed_ = true;
  return {};
}

void RemovePartialFiles() noexcept {
  for (const PathSlot& slot : g_partial_paths) {
    const char* path = slot.load();
    if (path != nullptr) ::unlink(path);
  }
}

}  // namespace tensorguard::internal
