#include "tests/faults/failing_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> g_counting = false;
std::atomic<bool> g_all_after = false;
std::atomic<uint64_t> g_first = 0;
std::atomic<uint64_t> g_count = 0;

// As operator new of the standard library does.
void Fail() {
  if (const auto handler = std::get_new_handler()) handler();
  throw std::bad_alloc();
}

void* Allocated(std::size_t bytes, std::size_t alignment) {
  if (g_counting) {
    const uint64_t number = ++g_count;
    if (number == g_first || (g_all_after && number > g_first)) Fail();
  }
  void* const memory =
      alignment == 0
          ? std::malloc(bytes == 0 ? 1 : bytes)
          : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return Allocated(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return Allocated(bytes, static_cast<std::size_t>(alignment));
}
// Of std::stable_sort, which does without where there is none. A sanitizer's own would not go
// together with the operators below.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace tensorguard::internal {

AllocationFault::AllocationFault(FailingAllocations which, uint64_t first) {
  g_all_after = which == FailingAllocations::kAllFrom;
  g_first = first;
  g_count = 0;
  g_counting = true;
}

AllocationFault::~AllocationFault() { g_counting = false; }

uint64_t AllocationFault::allocations() const { return g_count; }

}  // namespace tensorguard::internal
