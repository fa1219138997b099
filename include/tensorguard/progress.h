// How long work reports where it is. The library never prints; whoever calls it may.
#ifndef TENSORGUARD_TENSORGUARD_PROGRESS_H_
#define TENSORGUARD_TENSORGUARD_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <string_view>

namespace tensorguard {

enum class ProgressUnit { kBytes, kFiles };

struct Progress {
  std::string_view what;  // for example the tensor's name; raw text from the file
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  // What the two count, where it is not bytes.
  ProgressUnit unit = ProgressUnit::kBytes;
};

// Called from worker threads, never from two at once. May be empty.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_PROGRESS_H_
