// Around every fuzz target: fails where an input costs more processor time, or more memory at one
// time, than its length allows. Linked in by --wrap, so that no target needs to know of it.
#include <malloc.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// The address sanitizer's: what is called on each allocation.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             size_t),
                                                         void (*free_hook)(const volatile void*));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* memory);

extern "C" int __real_LLVMFuzzerTestOneInput(const uint8_t* input, size_t size);

namespace {

// Far above what the targets take: the sanitizers alone cost a factor of three, and the constants
// of docs/formats/limits.md are at most two hundred.
constexpr int64_t kAlwaysBytes = 64 << 20;
constexpr int64_t kBytesPerByte = 1024;
constexpr double kAlwaysSeconds = 2;
constexpr double kSecondsPerByte = 50e-6;

std::atomic<int64_t> g_live = 0;
std::atomic<int64_t> g_peak = 0;

void CountTaken(const volatile void*, size_t bytes) {
  const int64_t live = g_live += static_cast<int64_t>(bytes);
  if (live > g_peak) g_peak = live;
}

void CountGivenBack(const volatile void* memory) {
  if (memory != nullptr) g_live -= static_cast<int64_t>(__sanitizer_get_allocated_size(memory));
}

double ProcessorSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

extern "C" int __wrap_LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  static const int hooked = __sanitizer_install_malloc_and_free_hooks(CountTaken, CountGivenBack);
  if (hooked == 0) std::abort();
  const int64_t live = g_live;
  g_peak = live;
  const double began = ProcessorSeconds();
  const int result = __real_LLVMFuzzerTestOneInput(input, size);
  const double seconds = ProcessorSeconds() - began;
  const int64_t bytes = g_peak - live;
  const bool slow = seconds > kAlwaysSeconds + kSecondsPerByte * static_cast<double>(size);
  if (slow || bytes > kAlwaysBytes + kBytesPerByte * static_cast<int64_t>(size)) {
    std::fprintf(stderr, "input of %zu bytes cost %.2f s and %lld bytes of memory\n", size, seconds,
                 static_cast<long long>(bytes));
    std::abort();
  }
  return result;
}
