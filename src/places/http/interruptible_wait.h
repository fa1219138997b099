// Waiting that ends at once when the work is to stop.
#ifndef TENSORGUARD_PLACES_HTTP_INTERRUPTIBLE_WAIT_H_
#define TENSORGUARD_PLACES_HTTP_INTERRUPTIBLE_WAIT_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tensorguard::internal {

// Thread-safe.
class InterruptibleWait {
 public:
  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  // False if it was stopped.
  bool For(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [&] { return stopped_.load(); });
  }

  const std::atomic<bool>& stopped() const { return stopped_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_INTERRUPTIBLE_WAIT_H_
