#include "report/origin_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

WeightSummary Matrix(Role role, std::optional<uint32_t> layer) {
  WeightSummary weight = {.tensor = "w<" + std::string(RoleName(role)), .rows = 8, .columns = 4};
  weight.role.role = role;
  weight.role.layer = layer;
  return weight;
}

PartOrigin Part(size_t weight, Origin origin) {
  PartOrigin part = {.weight = weight, .origin = origin};
  part.counts.Add(origin, 32);
  return part;
}

struct Sample {
  Fingerprint model = {.weights = {Matrix(Role::kEmbedding, {}), Matrix(Role::kQuery, 0),
                                   Matrix(Role::kUp, 0), Matrix(Role::kQuery, 3)}};
  ModelOrigins origins = {.parts = {Part(0, Origin::kSame), Part(1, Origin::kChanged),
                                    Part(2, Origin::kNothing), Part(3, Origin::kRewritten)}};
};

TEST(GridOf, HasARowForEachRoleAndAColumnForEachLayer) {
  const Sample sample;
  const OriginGrid grid = GridOf(sample.model, sample.origins);
  EXPECT_EQ(grid.row_names, (std::vector<std::string>{"query", "up"}));
  EXPECT_EQ(grid.column_names, (std::vector<std::string>{"0", "3"}));
  EXPECT_EQ(grid.cells[0][0]->origin, Origin::kChanged);
  EXPECT_EQ(grid.cells[0][1]->origin, Origin::kRewritten);
  EXPECT_EQ(grid.cells[1][0]->origin, Origin::kNothing);
  EXPECT_FALSE(grid.cells[1][1]);
  ASSERT_EQ(grid.outside.size(), 1u);
  EXPECT_EQ(grid.outside[0].cell.origin, Origin::kSame);
}

TEST(DrawOriginMap, ShowsEveryOriginInWords) {
  const Sample sample;
  const std::string svg = DrawOriginMap(GridOf(sample.model, sample.origins), "parts of <a>");
  EXPECT_THAT(svg, HasSubstr("query of layer 3: the same function in another basis"));
  EXPECT_THAT(svg, HasSubstr("parts of &lt;a&gt;"));
  EXPECT_THAT(svg, HasSubstr("w&lt;embedding: 100.0% the same numbers"));
  EXPECT_THAT(svg, Not(HasSubstr("<a>")));
}

TEST(ShareText, NeverRoundsToNothingOrToAll) {
  EXPECT_EQ(ShareText(0), "0.0%");
  EXPECT_EQ(ShareText(1e-6), "<0.1%");
  EXPECT_EQ(ShareText(0.125), "12.5%");
  EXPECT_EQ(ShareText(0.99999), ">99.9%");
  EXPECT_EQ(ShareText(1), "100.0%");
}

}  // namespace
}  // namespace tensorguard::internal
