// Counts bytes as they are read and reports them.
#ifndef TENSORGUARD_BASE_READ_PROGRESS_H_
#define TENSORGUARD_BASE_READ_PROGRESS_H_

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "tensorguard/progress.h"

namespace tensorguard::internal {

// What is read again beyond the total is not counted. Thread-safe but for Start, which belongs to
// the thread that steers. Outlived by `callback`.
class ReadProgress {
 public:
  ReadProgress(const ProgressCallback& callback, uint64_t bytes_total)
      : callback_(callback), bytes_total_(bytes_total) {}

  // What the bytes from now on are of; `what` must live until the next start.
  void Start(std::string_view what) { what_ = what; }

  void Add(uint64_t bytes) { Add(what_, bytes); }

  // Bytes of `what`, whatever was started.
  void Add(std::string_view what, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_done_ = std::min(bytes_total_, bytes_done_ + bytes);
    Report(what);
  }

  // At least so many are done now, for work in parts that may end early.
  void SkipTo(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_done_ = std::max(bytes_done_, std::min(bytes_total_, bytes));
    Report(what_);
  }

  uint64_t bytes_done() const { return bytes_done_; }

 private:
  void Report(std::string_view what) const {
    if (callback_)
      callback_({.what = what, .bytes_done = bytes_done_, .bytes_total = bytes_total_});
  }

  const ProgressCallback& callback_;
  std::mutex mutex_;
  std::string_view what_;
  uint64_t bytes_done_ = 0;
  uint64_t bytes_total_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_READ_PROGRESS_H_
