#include "base/parallel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace tensorguard::internal {
namespace {

TEST(ParallelFor, DoesEveryIndexOnce) {
  for (const unsigned threads : {0u, 1u, 2u, 7u, 64u}) {
    for (const size_t count : {0, 1, 2, 100}) {
      std::vector<std::atomic<int>> calls(count);
      const auto done = ParallelFor(count, threads, [&](size_t i) -> Result<void> {
        ++calls[i];
        return {};
      });
      EXPECT_TRUE(done);
      for (const auto& call : calls) EXPECT_EQ(call, 1);
    }
  }
}

TEST(ParallelFor, OneThreadIsTheCallersOwnInOrder) {
  std::vector<size_t> order;
  ASSERT_TRUE(ParallelFor(50, 1, [&](size_t i) -> Result<void> {
    order.push_back(i);
    return {};
  }));
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

TEST(ParallelFor, SeveralThreadsWork) {
  std::mutex mutex;
  std::set<std::thread::id> ids;
  std::atomic<int> arrived = 0;
  ASSERT_TRUE(ParallelFor(2, 2, [&](size_t) -> Result<void> {
    ++arrived;
    // Each of the two waits for the other, which one thread alone could not.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (arrived < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
    return {};
  }));
  EXPECT_EQ(ids.size(), 2u);
}

TEST(ParallelFor, ReturnsTheErrorOfTheSmallestIndex) {
  for (const unsigned threads : {1u, 2u, 8u}) {
    for (int round = 0; round < 50; ++round) {
      const auto done = ParallelFor(100, threads, [&](size_t i) -> Result<void> {
        if (i < 20) return {};
        if (i % 3 == 0) std::this_thread::yield();
        return Error{.problem = fmt::format("{}", i)};
      });
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().problem, "20");
    }
  }
}

TEST(ParallelFor, StartsNothingNewAfterAnError) {
  std::atomic<int> calls = 0;
  const auto done = ParallelFor(1'000'000, 1, [&](size_t i) -> Result<void> {
    ++calls;
    if (i == 3) return Error{.problem = "stop"};
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(calls, 4);
}

TEST(ParallelFor, ThrowsWhatAHelperThrew) {
  for (const unsigned threads : {1u, 4u}) {
    EXPECT_THROW((void)ParallelFor(100, threads,
                                   [](size_t i) -> Result<void> {
                                     if (i == 37) throw std::bad_alloc();
                                     return {};
                                   }),
                 std::bad_alloc);
  }
}

}  // namespace
}  // namespace tensorguard::internal
