#include "drawing/label_layout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tensorguard::internal {
namespace {

constexpr Box kArea = {0, 0, 900, 700};

// Points in a few dense clouds, labels of several widths.
std::vector<LabelRequest> Clouds(size_t count) {
  std::vector<LabelRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    const double angle = 2.4 * static_cast<double>(i);
    const double radius = 2.5 * std::sqrt(static_cast<double>(i));
    const Point cloud = {150 + 200 * static_cast<double>(i % 4),
                         250 + 150 * static_cast<double>(i % 2)};
    requests.push_back(
        {.anchor = {cloud.x + radius * std::cos(angle), cloud.y + radius * std::sin(angle)},
         .anchor_radius = 6,
         .width = 40 + 13 * static_cast<double>(i % 9),
         .height = 9.5});
  }
  return requests;
}

void ExpectNoOverlap(const std::vector<LabelRequest>& requests,
                     const std::vector<std::optional<Box>>& boxes) {
  ASSERT_EQ(boxes.size(), requests.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (!boxes[i]) continue;
    EXPECT_TRUE(Contains(kArea, *boxes[i])) << i;
    EXPECT_EQ(boxes[i]->width, requests[i].width);
    for (size_t j = 0; j < boxes.size(); ++j) {
      if (j != i && boxes[j]) {
        EXPECT_FALSE(Overlap(*boxes[i], *boxes[j])) << i << " " << j;
      }
      const Point other = requests[j].anchor;
      const Box marker = Grown({other.x, other.y, 0, 0}, requests[j].anchor_radius);
      EXPECT_FALSE(Overlap(*boxes[i], marker)) << i << " covers point " << j;
    }
  }
}

size_t Placed(const std::vector<std::optional<Box>>& boxes) {
  return static_cast<size_t>(
      std::count_if(boxes.begin(), boxes.end(), [](const auto& box) { return box.has_value(); }));
}

TEST(LabelLayout, NamesEveryPointWithoutOverlap) {
  for (const size_t count : {0u, 1u, 3u, 58u, 100u}) {
    const auto requests = Clouds(count);
    const auto boxes = LayOutLabels(requests, kArea);
    ExpectNoOverlap(requests, boxes);
    EXPECT_EQ(Placed(boxes), count);
  }
}

TEST(LabelLayout, CoincidingPointsGetPlacesOfTheirOwn) {
  std::vector<LabelRequest> requests(
      12, {.anchor = {450, 350}, .anchor_radius = 6, .width = 80, .height = 10});
  const auto boxes = LayOutLabels(requests, kArea);
  ExpectNoOverlap(requests, boxes);
  EXPECT_EQ(Placed(boxes), 12u);
}

TEST(LabelLayout, LeavesOutWhatHasNoRoom) {
  std::vector<LabelRequest> requests = Clouds(58);
  requests[7].width = 2000;
  auto boxes = LayOutLabels(requests, kArea);
  EXPECT_FALSE(boxes[7]);
  EXPECT_EQ(Placed(boxes), 57u);

  for (LabelRequest& request : requests) request.width = 400;
  for (LabelRequest& request : requests) request.height = 60;
  boxes = LayOutLabels(requests, kArea);
  ExpectNoOverlap(requests, boxes);
  EXPECT_LT(Placed(boxes), 58u);
  EXPECT_GT(Placed(boxes), 4u);
}

TEST(LabelLayout, ALonelyPointIsNamedBesideItWithoutALine) {
  const std::vector<LabelRequest> requests = Clouds(1);
  const auto boxes = LayOutLabels(requests, kArea);
  ASSERT_TRUE(boxes[0]);
  EXPECT_NEAR(boxes[0]->center().y, requests[0].anchor.y, 1);
  EXPECT_FALSE(LeaderLine(requests[0], *boxes[0]));
  const auto leader = LeaderLine(requests[0], {400, 245, 50, 10});
  ASSERT_TRUE(leader);
  EXPECT_NEAR(leader->from.x, requests[0].anchor.x + 6, 1e-9) << "from the marker's edge";
  EXPECT_EQ(leader->to.x, 400);
}

TEST(Geometry, SegmentsAndBoxes) {
  const Box box = {10, 10, 20, 10};
  EXPECT_TRUE(Cuts({{0, 0}, {40, 30}}, box));
  EXPECT_TRUE(Cuts({{12, 12}, {14, 14}}, box));
  EXPECT_FALSE(Cuts({{0, 0}, {40, 5}}, box));
  EXPECT_FALSE(Cuts({{0, 15}, {9, 15}}, box));
  EXPECT_FALSE(Cuts({{5, 0}, {5, 40}}, box));
  EXPECT_TRUE(Cross({{0, 0}, {10, 10}}, {{0, 10}, {10, 0}}));
  EXPECT_FALSE(Cross({{0, 0}, {10, 10}}, {{0, 1}, {9, 10}}));
}

}  // namespace
}  // namespace tensorguard::internal
