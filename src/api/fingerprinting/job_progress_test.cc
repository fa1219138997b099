#include "api/fingerprinting/job_progress.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

TEST(JobProgress, AddsUpTheModels) {
  Progress shown;
  JobProgress progress(4, [&](const Progress& sum) { shown = sum; });
  progress.ForModel(1)({"w", 10, 100});
  EXPECT_EQ(shown.bytes_done, 10u);
  EXPECT_EQ(shown.bytes_total, 400u);  // three more like it
  progress.ForModel(0)({"w", 50, 300});
  EXPECT_EQ(shown.bytes_done, 60u);
  EXPECT_EQ(shown.bytes_total, 800u);
  progress.ForModel(1)({"w", 100, 100});
  EXPECT_EQ(shown.bytes_done, 150u);
}

TEST(JobProgress, AModelThatEndsEarlyIsNotWaitedFor) {
  JobProgress progress(2, [](const Progress&) {});
  progress.ForModel(0)({"w", 10, 100});
  progress.ForModel(1)({"w", 10, 100});
  EXPECT_EQ(progress.Sum().bytes_total, 200u);
  progress.End(1);
  EXPECT_EQ(progress.Sum().bytes_done, 20u);
  EXPECT_EQ(progress.Sum().bytes_total, 110u);
}

TEST(JobProgress, NothingIsAskedForWhereNothingIsShown) {
  JobProgress progress(2, {});
  EXPECT_FALSE(progress.ForModel(0));
}

}  // namespace
}  // namespace tensorguard::internal
