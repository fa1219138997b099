#include "cli/output/progress_bar.h"

#include <gtest/gtest.h>

#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

Progress HalfOf2Megabytes() {
  return {.what = "t", .bytes_done = 1'000'000, .bytes_total = 2'000'000};
}

TEST(ProgressLine, TellsPartRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("alder", HalfOf2Megabytes(), /*elapsed_seconds=*/2, 200),
            "alder [###############---------------]  50%  1.0 MB of 2.0 MB  500.0 kB/s  0:02 left");
}

TEST(ProgressLine, ShrinksTheBarAndThenCutsTheEnd) {
  for (const size_t width : {90u, 70u, 65u, 40u, 10u, 1u}) {
    const std::string line = ProgressLine("alder", HalfOf2Megabytes(), 2, width);
    EXPECT_LE(DisplayWidth(line), width) << line;
  }
  EXPECT_EQ(ProgressLine("alder", HalfOf2Megabytes(), 2, 31), "alder [##---]  50%  1.0 MB of 2");
}

TEST(ProgressLine, EstimatesNothingFromTheFirstMoments) {
  EXPECT_EQ(ProgressLine("a", HalfOf2Megabytes(), 0.1, 200),
            "a [###############---------------]  50%  1.0 MB of 2.0 MB");
}

TEST(ProgressLine, CountsFilesAsFiles) {
  EXPECT_EQ(
      ProgressLine(
          "signatures",
          {.what = "a", .bytes_done = 1200, .bytes_total = 3000, .unit = ProgressUnit::kFiles},
          /*elapsed_seconds=*/2, 200),
      "signatures [############------------------]  40%  1,200 of 3,000 files  600/s  "
      "0:03 left");
}

TEST(ProgressLine, EndsFullAndSurvivesAnUnknownTotal) {
  EXPECT_EQ(ProgressLine("a", {.what = "", .bytes_done = 10, .bytes_total = 10}, 0, 30),
            "a [#######] 100%  10 B of 10 B");
  EXPECT_EQ(ProgressLine("a", {}, 1, 200), "a [------------------------------]   0%  0 B of 0 B");
}

}  // namespace
}  // namespace tensorguard::internal::cli
