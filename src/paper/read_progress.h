// Counts stored bytes as they are read and reports them.
#ifndef TENSORGUARD_PAPER_READ_PROGRESS_H_
#define TENSORGUARD_PAPER_READ_PROGRESS_H_

#include <cstdint>
#include <mutex>
#include <string_view>

#include "tensorguard/progress.h"

namespace tensorguard::internal {

// Thread-safe but for StartTensor, which belongs to the thread that steers. Outlived by `callback`.
class ReadProgress {
 public:
  ReadProgress(const ProgressCallback& callback, uint64_t bytes_total)
      : callback_(callback), bytes_total_(bytes_total) {}

  void StartTensor(std::string_view name) { tensor_name_ = name; }

  void Add(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_done_ += bytes;
    if (callback_) callback_({tensor_name_, bytes_done_, bytes_total_});
  }

  uint64_t bytes_done() const { return bytes_done_; }

 private:
  const ProgressCallback& callback_;
  std::mutex mutex_;
  std::string_view tensor_name_;
  uint64_t bytes_done_ = 0;
  uint64_t bytes_total_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_READ_PROGRESS_H_
