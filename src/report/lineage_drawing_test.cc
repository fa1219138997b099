#include "report/lineage_drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LineageNode Node(const std::string& name, size_t depth, std::optional<size_t> parent) {
  return {.name = name, .depth = depth, .parent = parent};
}

TEST(LineageDrawing, ANodeStandsInTheMiddleOfItsChildren) {
  LineageDrawing drawing;
  drawing.nodes = {Node("base", 0, {}), Node("a", 1, 0), Node("a1", 2, 1), Node("a2", 2, 1),
                   Node("b", 1, 0)};
  const auto places = PlaceNodes(drawing);
  EXPECT_DOUBLE_EQ(places[1].y, (places[2].y + places[3].y) / 2);
  EXPECT_DOUBLE_EQ(places[0].y, (places[1].y + places[4].y) / 2);
  EXPECT_LT(places[0].x, places[1].x);
  EXPECT_LT(places[1].x, places[2].x);
  EXPECT_DOUBLE_EQ(places[1].x, places[4].x);
}

TEST(LineageDrawing, NoTwoLeavesShareARow) {
  LineageDrawing drawing;
  for (size_t tree = 0; tree < 3; ++tree) {
    const size_t root = drawing.nodes.size();
    drawing.nodes.push_back(Node("root", 0, {}));
    for (size_t leaf = 0; leaf < 40; ++leaf) drawing.nodes.push_back(Node("leaf", 1, root));
  }
  const auto places = PlaceNodes(drawing);
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (drawing.nodes[i].depth != drawing.nodes[j].depth) continue;
      EXPECT_GE(std::abs(places[i].y - places[j].y), 20) << i << " " << j;
    }
  }
}

TEST(LineageDrawing, NamesAreEscaped) {
  LineageDrawing drawing;
  drawing.nodes = {Node("<script>alert(1)</script>", 0, {}), Node("a&b", 1, 0)};
  for (const std::string& text : {DrawLineage(drawing), DrawLineagePage(drawing)}) {
    EXPECT_THAT(text, Not(HasSubstr("<script>")));
    EXPECT_THAT(text, HasSubstr("a&amp;b"));
  }
}

TEST(LineageDrawing, DoubtAndDirectionAreDrawn) {
  LineageDrawing drawing;
  drawing.nodes = {Node("base", 0, {}), Node("a", 1, 0)};
  EXPECT_THAT(DrawLineage(drawing), Not(HasSubstr("class=\"tip\"")));
  EXPECT_THAT(DrawLineage(drawing), Not(HasSubstr("descent doubt")));
  drawing.nodes[1].directed = true;
  drawing.nodes[1].sure = false;
  EXPECT_THAT(DrawLineage(drawing), HasSubstr("class=\"tip\""));
  EXPECT_THAT(DrawLineage(drawing), HasSubstr("descent doubt"));
}

}  // namespace
}  // namespace tensorguard::internal
