#include "base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/folder_of.h"
#include "base/system_error.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kMostNamesTried = 100;
constexpr unsigned kMostLinks = 40;  // as the system follows
constexpr size_t kLongestNameBytes = 255;

// Not of the process: as process 1 of a container all runs have one id, and a run that was killed
// must not stand in the way of the next.
Result<std::string> RandomSuffix(const std::string& path) {
  uint64_t random = 0;
  while (::getrandom(&random, sizeof(random), 0) != sizeof(random)) {
    if (errno != EINTR) return SystemError("name a file beside", path, errno);
  }
  return fmt::format(".partial-{:016x}", random);
}

// Where the bytes go to until they are whole: the same folder, a name as long as a name may be.
std::string Beside(const std::string& target, const std::string& suffix) {
  const std::filesystem::path path(target);
  std::string name = path.filename().string();
  name.resize(std::min(name.size(), kLongestNameBytes - suffix.size()));
  return (path.parent_path() / (name + suffix)).string();
}

// What a path names after its symbolic links; nothing need be there.
struct LinkTarget {
  std::filesystem::path path;
  bool is_open_file = false;  // a link of /proc, which stands for a file that some process has open
};

Result<LinkTarget> FollowLinks(const std::string& path) {
  LinkTarget target = {.path = path};
  for (unsigned i = 0; i < kMostLinks; ++i) {
    struct stat status = {};
    if (::lstat(target.path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return target;
    const std::filesystem::path folder = FolderOf(target.path);
    struct statfs system = {};
    if (::statfs(folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC) {
      target.is_open_file = true;
      return target;
    }
    std::error_code failure;
    const auto link = std::filesystem::read_symlink(target.path, failure);
    if (failure) return SystemError("follow the link", path, failure.value());
    target.path = target.path.parent_path() / link;
  }
  return SystemError("follow the link", path, ELOOP);
}

// The number of a descriptor of this process that a link of /proc stands for: bytes go on where
// those of the descriptor ended.
std::optional<int> OwnDescriptor(const std::filesystem::path& link) {
  std::error_code failure;
  const auto folder = std::filesystem::canonical(FolderOf(link), failure);
  const std::string name = link.filename().string();
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  if (failure || !is_number || folder != fmt::format("/proc/{}/fd", ::getpid())) return {};
  return number;
}

// Some file systems know no sync. False where one failed, with its reason in errno.
bool Sync(int descriptor) {
  return ::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
}

// The paths of files under way, for RemovePartialFiles: a signal handler may look at nothing but
// lock-free atomics. A path belongs to its AtomicFile, which stays where it is.
using PathSlot = std::atomic<const char*>;
static_assert(PathSlot::is_always_lock_free);
std::array<PathSlot, 64> g_partial_paths;

void Exchange(const char* from, const char* to) {
  for (PathSlot& slot : g_partial_paths) {
    const char* expected = from;
    if (slot.compare_exchange_strong(expected, to)) return;
  }
}

void Remember(const std::string& path) {
  if (!path.empty()) Exchange(nullptr, path.c_str());
}
void Forget(const std::string& path) {
  if (!path.empty()) Exchange(path.c_str(), nullptr);
}

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string target, std::string partial_path,
                       int descriptor)
    : path_(std::move(path)),
      target_(std::move(target)),
      partial_path_(std::move(partial_path)),
      descriptor_(descriptor) {
  Remember(partial_path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_ && !partial_path_.empty()) ::unlink(partial_path_.c_str());
  Forget(partial_path_);
}

Result<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::filesystem::path& path) {
  std::string name = path.string();
  struct stat status = {};
  const bool exists = ::stat(name.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return SystemError("write", name, EISDIR);
  TG_ASSIGN(const auto target, FollowLinks(name));
  if (exists && (!S_ISREG(status.st_mode) || target.is_open_file)) {
    // At the end of another's open file: what was written to it before is not overwritten.
    const auto own = target.is_open_file ? OwnDescriptor(target.path) : std::nullopt;
    const int descriptor = own ? ::fcntl(*own, F_DUPFD_CLOEXEC, 0)
                               : ::open(name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return SystemError("write", name, errno);
    return std::unique_ptr<AtomicFile>(new AtomicFile(name, name, "", descriptor));
  }
  const int mode = exists ? static_cast<int>(status.st_mode & 07777) : -1;
  return CreateBeside(std::move(name), target.path.string(), mode);
}

// Not mkstemp, which makes private files: with open the user's umask decides who may read. A file
// that is replaced keeps its `mode`; -1 for none.
Result<std::unique_ptr<AtomicFile>> AtomicFile::CreateBeside(std::string path, std::string target,
                                                             int mode) {
  for (unsigned i = 0; i < kMostNamesTried; ++i) {
    TG_ASSIGN(const auto suffix, RandomSuffix(path));
    std::string partial_path = Beside(target, suffix);
    const int descriptor =
        ::open(partial_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return SystemError("create", path, errno);
    if (mode >= 0) ::fchmod(descriptor, static_cast<mode_t>(mode));
    return std::unique_ptr<AtomicFile>(
        new AtomicFile(std::move(path), std::move(target), std::move(partial_path), descriptor));
  }
  return SystemError("create", path, EEXIST);
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
  if (partial_path_.empty()) return Close();
  if (!Sync(descriptor_)) return SystemError("write", path_, errno);
  TG_TRY(Close());
  return Replace();
}

Result<void> AtomicFile::Close() {
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) return SystemError("close", path_, errno);
  return {};
}

Result<void> AtomicFile::Replace() {
  struct stat status = {};
  if (::lstat(target_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "is no longer a regular file, which alone is replaced",
                 .file = path_};
  }
  if (::rename(partial_path_.c_str(), target_.c_str()) != 0) {
    return SystemError("rename to", path_, errno);
  }
  committed_ = true;
  const int descriptor = ::open(FolderOf(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return {};  // a folder that may be written to, but not read
  const bool failed = !Sync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  if (failed) return SystemError("sync the folder of", path_, error_number);
  return {};
}

void RemovePartialFiles() noexcept {
  for (const PathSlot& slot : g_partial_paths) {
    const char* path = slot.load();
    if (path != nullptr) ::unlink(path);
  }
}

}  // namespace tensorguard::internal
