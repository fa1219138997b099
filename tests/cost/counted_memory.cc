#include "tests/cost/counted_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> g_live = 0;
std::atomic<int64_t> g_peak = 0;
std::atomic<uint64_t> g_taken = 0;

void* Taken(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const auto bytes = static_cast<int64_t>(::malloc_usable_size(memory));
  g_taken += static_cast<uint64_t>(bytes);
  const int64_t live = g_live += bytes;
  int64_t peak = g_peak;
  while (live > peak && !g_peak.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void GiveBack(void* memory) {
  if (memory != nullptr) g_live -= static_cast<int64_t>(::malloc_usable_size(memory));
  std::free(memory);
}

int64_t g_live_at_start = 0;

}  // namespace

void* operator new(std::size_t bytes) { return Taken(std::malloc(bytes == 0 ? 1 : bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return Taken(std::aligned_alloc(step, (bytes + step - 1) / step * step));
}
// Of std::stable_sort, which does without where there is none. A sanitizer's own would not go
// together with the operators below.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  return memory == nullptr ? nullptr : Taken(memory);
}
void operator delete(void* memory) noexcept { GiveBack(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { GiveBack(memory); }
void operator delete(void* memory, std::size_t) noexcept { GiveBack(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { GiveBack(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { GiveBack(memory); }

namespace tensorguard::internal {

CountedMemory::CountedMemory() {
  g_live_at_start = g_live;
  g_peak.store(g_live_at_start);
  g_taken = 0;
}

size_t CountedMemory::peak_bytes() const { return static_cast<size_t>(g_peak - g_live_at_start); }

size_t CountedMemory::taken_bytes() const { return g_taken; }

}  // namespace tensorguard::internal
