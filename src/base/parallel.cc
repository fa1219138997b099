#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

// OpenMP API 5.0, section 3.2: for the calling thread alone. No compiler needs to know OpenMP.
extern "C" void omp_set_num_threads(int count);

namespace tensorguard::internal {

void UseOneLibraryThread() { omp_set_num_threads(1); }

Result<void> ParallelFor(size_t count, unsigned threads,
                         const std::function<Result<void>(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex first_error_mutex;
  std::optional<Error> first_error;
  size_t first_error_index = count;

  const auto work_on = [&] {
    UseOneLibraryThread();
    while (!failed) {
      const size_t i = next.fetch_add(1);
      if (i >= count) return;
      Result<void> done = work(i);
      if (done) continue;
      failed = true;
      const std::lock_guard lock(first_error_mutex);
      if (i >= first_error_index) continue;
      first_error_index = i;
      first_error = std::move(done).error();
    }
  };
  // What a helper throws (std::bad_alloc) is thrown again by the calling thread.
  std::exception_ptr thrown;
  const auto run = [&] {
    try {
      work_on();
    } catch (...) {
      failed = true;
      const std::lock_guard lock(first_error_mutex);
      thrown = std::current_exception();
    }
  };

  const unsigned wanted =
      threads == 0 ? std::max(1u, std::thread::hardware_concurrency()) : threads;
  const size_t helpers = std::min<size_t>(wanted, count) - (count == 0 ? 0 : 1);
  {
    std::vector<std::jthread> pool;
    try {
      for (size_t i = 0; i < helpers; ++i) pool.emplace_back(run);
    } catch (const std::system_error&) {
      // The system has no more threads to give; those there are, or this one alone, do the work.
    } catch (const std::bad_alloc&) {
      // Nor memory for one.
    }
    run();
  }
  if (thrown) std::rethrow_exception(thrown);
  if (first_error) return *std::move(first_error);
  return {};
}

}  // namespace tensorguard::internal
