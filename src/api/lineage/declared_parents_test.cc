#include "api/lineage/declared_parents.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

const std::vector<std::string> kNames = {"base", "tuned", "other", "missing model 1"};

LineageEdge EdgeOf(size_t child, size_t parent, bool directed) {
  return {.child = child, .parent = parent, .directed = directed};
}

Declared Of(const LineageEdge& edge, std::vector<std::string> by_base,
            std::vector<std::string> by_tuned) {
  return CompareWithDeclared(edge, {std::move(by_base), std::move(by_tuned), {}}, kNames);
}

TEST(DeclaredParents, AgreeWithTheParentWhateverItsOwner) {
  const LineageEdge edge = EdgeOf(1, 0, true);
  EXPECT_EQ(Of(edge, {}, {"base"}), Declared::kAgrees);
  EXPECT_EQ(Of(edge, {}, {"somebody/Base"}), Declared::kAgrees);
  EXPECT_EQ(Of(edge, {}, {"other", "base"}), Declared::kAgrees);
  EXPECT_EQ(Of(edge, {}, {}), Declared::kNothing);
}

TEST(DeclaredParents, ContradictWhereTheyNameAnotherModel) {
  const LineageEdge edge = EdgeOf(1, 0, true);
  EXPECT_EQ(Of(edge, {}, {"other"}), Declared::kContradicts);
  EXPECT_EQ(Of(edge, {}, {"base-2"}), Declared::kElsewhere);
  EXPECT_EQ(Of(EdgeOf(1, 3, true), {}, {"other"}), Declared::kContradicts);
  EXPECT_EQ(Of(EdgeOf(1, 3, true), {}, {"somebody/else"}), Declared::kElsewhere);
}

TEST(DeclaredParents, MayTurnAStepWithoutADirection) {
  EXPECT_EQ(Of(EdgeOf(0, 1, false), {}, {"base"}), Declared::kAgrees);
  EXPECT_EQ(Of(EdgeOf(0, 1, true), {}, {"base"}), Declared::kContradicts);
}

TEST(DeclaredParents, OfFingerprintsAreUnknown) {
  EXPECT_EQ(CompareWithDeclared(EdgeOf(1, 0, true), {}, kNames), Declared::kNothing);
}

TEST(DeclaredParents, HaveNames) {
  EXPECT_EQ(DeclaredName(Declared::kNothing), "not_declared");
  EXPECT_EQ(DeclaredName(Declared::kAgrees), "agrees");
  EXPECT_EQ(DeclaredName(Declared::kContradicts), "contradicts");
  EXPECT_EQ(DeclaredName(Declared::kElsewhere), "not_among_these");
}

}  // namespace
}  // namespace tensorguard::internal
