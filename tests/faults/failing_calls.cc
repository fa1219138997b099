// Loaded before the C library (LD_PRELOAD): the call number FAULT_AT of the kind FAULT_CALL fails
// with EIO. Calls are counted from 1 on, of all threads together; writes to standard output and
// error do not count. With FAULT_COUNT, a file of that name gets their number at the end.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define SHOWN extern "C" __attribute__((visibility("default")))

namespace {

std::atomic<long> g_count = 0;

bool Fails(const char* call) {
  const char* const wanted = std::getenv("FAULT_CALL");
  if (wanted == nullptr || std::strcmp(wanted, call) != 0) return false;
  const long number = ++g_count;
  const char* const at = std::getenv("FAULT_AT");
  if (at == nullptr || number != std::atol(at)) return false;
  errno = EIO;
  return true;
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

mode_t ModeOf(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(rest, int)) : 0;
}

__attribute__((destructor)) void TellCount() {
  const char* const path = std::getenv("FAULT_COUNT");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld", g_count.load());
  std::fclose(file);
}

}  // namespace

SHOWN ssize_t pread(int descriptor, void* out, size_t bytes, off_t offset) {
  if (Fails("pread")) return -1;
  return Real<ssize_t(int, void*, size_t, off_t)>("pread")(descriptor, out, bytes, offset);
}

SHOWN ssize_t pread64(int descriptor, void* out, size_t bytes, off64_t offset) {
  if (Fails("pread")) return -1;
  return Real<ssize_t(int, void*, size_t, off64_t)>("pread64")(descriptor, out, bytes, offset);
}

SHOWN ssize_t write(int descriptor, const void* bytes, size_t count) {
  if (descriptor > STDERR_FILENO && Fails("write")) return -1;
  return Real<ssize_t(int, const void*, size_t)>("write")(descriptor, bytes, count);
}

SHOWN int fsync(int descriptor) {
  if (Fails("fsync")) return -1;
  return Real<int(int)>("fsync")(descriptor);
}

SHOWN int rename(const char* from, const char* to) noexcept {
  if (Fails("rename")) return -1;
  return Real<int(const char*, const char*)>("rename")(from, to);
}

SHOWN int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = ModeOf(flags, rest);
  va_end(rest);
  if (Fails("open")) return -1;
  return Real<int(const char*, int, ...)>("open")(path, flags, mode);
}

SHOWN int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = ModeOf(flags, rest);
  va_end(rest);
  if (Fails("open")) return -1;
  return Real<int(const char*, int, ...)>("open64")(path, flags, mode);
}

SHOWN int fstat(int descriptor, struct stat* status) noexcept {
  if (Fails("fstat")) return -1;
  return Real<int(int, struct stat*)>("fstat")(descriptor, status);
}

SHOWN int fstat64(int descriptor, struct stat64* status) noexcept {
  if (Fails("fstat")) return -1;
  return Real<int(int, struct stat64*)>("fstat64")(descriptor, status);
}
