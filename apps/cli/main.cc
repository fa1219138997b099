// The program tensorguard.
#include <new>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "cli/program.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

// Responses of some MiB come and go with every layer: keep their memory instead of giving it back
// to the system, which would clear it each time.
void KeepFreedMemory() {
#ifdef __GLIBC__
  constexpr int kMebibyte = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 * kMebibyte);
  mallopt(M_TRIM_THRESHOLD, 128 * kMebibyte);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  tensorguard::internal::UseOneLibraryThread();
  const int first = argc > 0 ? 1 : 0;
  std::vector<std::string> arguments;
  try {
    arguments.assign(argv + first, argv + argc);
  } catch (const std::bad_alloc&) {
    return 2;
  }
  return tensorguard::internal::cli::RunProgram(arguments);
}
