#include "places/http/transfer_pool.h"

#include <exception>
#include <memory>
#include <utility>

namespace tensorguard::internal {

TransferPool::TransferPool(const HttpSettings& settings, unsigned most_threads)
    : settings_(settings), most_threads_(most_threads) {}

TransferPool::~TransferPool() { Stop(); }

void TransferPool::Stop() {
  wait_.Stop();
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void TransferPool::Run(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (jobs_.size() > idle_threads_ && threads_.size() < most_threads_) AddThread();
  changed_.notify_one();
}

// REQUIRES: mutex_ is held. Without a thread the last job cannot be done, and is dropped.
void TransferPool::AddThread() {
  try {
    auto connection =
        std::make_shared<HttpConnection>(settings_, &wait_.stopped(), &received_bytes_);
    threads_.emplace_back([this, connection = std::move(connection)] { Work(*connection); });
  } catch (const std::exception&) {
    if (!threads_.empty()) return;  // the others do it
    jobs_.pop_back();
    throw;
  }
}

void TransferPool::RunAndWait(const Job& job) {
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::exception_ptr thrown;
  Run([&](HttpConnection& connection) {
    try {
      job(connection);
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    done = true;
    ended.notify_all();  // under the lock: the waiting function's variables are gone after it
  });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return done; });
  if (thrown) std::rethrow_exception(thrown);
}

void TransferPool::Work(HttpConnection& connection) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_threads_;
    changed_.wait(lock, [&] { return wait_.stopped() || !jobs_.empty(); });
    --idle_threads_;
    if (wait_.stopped()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(connection);
    lock.lock();
  }
}

}  // namespace tensorguard::internal
