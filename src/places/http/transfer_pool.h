// Threads that each keep a connection, for many requests at once.
#ifndef TENSORGUARD_PLACES_HTTP_TRANSFER_POOL_H_
#define TENSORGUARD_PLACES_HTTP_TRANSFER_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "places/http/http_connection.h"
#include "places/http/interruptible_wait.h"

namespace tensorguard::internal {

// Thread-safe. Destruction stops the pool.
class TransferPool {
 public:
  using Job = std::function<void(HttpConnection&)>;

  TransferPool(const HttpSettings& settings, unsigned most_threads);
  ~TransferPool();
  TransferPool(const TransferPool&) = delete;
  TransferPool& operator=(const TransferPool&) = delete;

  // Runs `job` on a thread of the pool, jobs in the order in which they come. It must not throw.
  void Run(Job job);

  // The same, and waits until it is done; throws what it threw. Not to be called from a job.
  void RunAndWait(const Job& job);

  // Ends running transfers, drops those not begun, and waits for the threads.
  void Stop();

  InterruptibleWait* wait() { return &wait_; }
  uint64_t received_bytes() const { return received_bytes_; }  // of all bodies

 private:
  void AddThread();
  void Work(HttpConnection& connection);

  const HttpSettings settings_;
  const unsigned most_threads_;
  InterruptibleWait wait_;
  std::atomic<uint64_t> received_bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;              // guarded by mutex_
  unsigned idle_threads_ = 0;         // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_TRANSFER_POOL_H_
