// What benchmarks measure of their own process.
#ifndef TENSORGUARD_BENCH_PROCESS_MEASURES_H_
#define TENSORGUARD_BENCH_PROCESS_MEASURES_H_

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <fstream>

namespace tensorguard::internal {

inline double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Of the calling thread: what it would take alone, however busy the machine is.
inline double ProcessorSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Resident set of this process.
inline double ResidentMiB() {
  std::ifstream status("/proc/self/statm");
  uint64_t pages = 0;
  status >> pages >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BENCH_PROCESS_MEASURES_H_
