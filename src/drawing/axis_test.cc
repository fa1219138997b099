#include "drawing/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Labels(const Axis& axis) {
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks()) {
    EXPECT_GE(tick.position, 0);
    EXPECT_LE(tick.position, 1);
    labels.push_back(tick.label);
  }
  return labels;
}

TEST(Axis, LinearTicksAreRound) {
  EXPECT_THAT(Labels(Axis::Linear(-4.8, 4.1)), ElementsAre("-4", "-2", "0", "2", "4"));
  const Axis axis = Axis::Linear(0, 1);
  EXPECT_NEAR(axis.PositionOf(0.5), 0.5, 1e-12);
  EXPECT_GT(axis.PositionOf(0), 0.05) << "a margin, so that markers are whole";
}

TEST(Axis, LogarithmicTicksAreDecadesAndParts) {
  EXPECT_THAT(Labels(Axis::Logarithmic(0.2, 3)), ElementsAre("0.2", "0.5", "1", "2"));
  EXPECT_THAT(Labels(Axis::Logarithmic(1e-3, 1e3)),
              ElementsAre("0.001", "0.01", "0.1", "1", "10", "100", "1000"));
}

TEST(Axis, AnyRangeHasAFewTicks) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0, 0}, {5, 5}, {-1e100, 1e100}, {1, 1 + 1e-15}, {1e-200, 2e-200}, {3, 1e9}}) {
    const size_t ticks = Labels(Axis::Linear(low, high)).size();
    EXPECT_GE(ticks, 2u) << low << " " << high;
    EXPECT_LE(ticks, 9u) << low << " " << high;
    if (low <= 0) continue;
    EXPECT_GE(Labels(Axis::Logarithmic(low, high)).size(), 1u) << low << " " << high;
    EXPECT_LE(Labels(Axis::Logarithmic(low, high)).size(), 12u) << low << " " << high;
  }
}

}  // namespace
}  // namespace tensorguard::internal
