#include "network/architecture_traits.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

namespace tensorguard::internal {
namespace {

// A name in two rows would leave it to their order what a model computes.
TEST(ArchitectureTraits, NamesEveryTypeOnce) {
  std::set<std::string> seen;
  for (const ArchitectureTraits& row : ArchitectureTraitRows()) {
    EXPECT_TRUE(seen.insert(std::string(row.name)).second) << row.name;
    std::istringstream also{std::string(row.also)};
    for (std::string name; also >> name;) EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(ArchitectureTraits, AreFoundByEitherName) {
  ASSERT_NE(FindTraits("gemma2"), nullptr);
  EXPECT_TRUE(FindTraits("gemma2")->gain_plus_one);
  ASSERT_NE(FindTraits("qwen3"), nullptr);
  EXPECT_EQ(FindTraits("qwen3")->name, "llama");
  EXPECT_EQ(FindTraits("unheard_of"), nullptr);
  EXPECT_EQ(FindTraits(""), nullptr);
}

TEST(ArchitectureTraits, MakeSense) {
  for (const ArchitectureTraits& row : ArchitectureTraitRows()) {
    EXPECT_GT(row.epsilon, 0) << row.name;
    EXPECT_LE(row.epsilon, 1e-5) << row.name;
    EXPECT_GT(row.rotary_fraction, 0) << row.name;
    EXPECT_LE(row.rotary_fraction, 1) << row.name;
    EXPECT_GT(row.rotary_base, 1) << row.name;
    EXPECT_TRUE(row.positions_skip_padding ? row.position_offset > 0 : true) << row.name;
  }
}

}  // namespace
}  // namespace tensorguard::internal
