#include "evaluation/pair_list.h"

#include <gtest/gtest.h>

#include <set>

namespace tensorguard::internal {
namespace {

Json ListOf(const std::string& pairs) {
  return *ParseJson(R"({"schema": "tensorguard.pairs/1", "pairs": [)" + pairs + "]}");
}

TEST(PairList, IsRead) {
  const auto pairs = ReadPairList(ListOf(
      R"({"a": "hf://x/y", "b": "z", "relation": "derived", "kind": "k", "source": "s", "note": 1})"));
  ASSERT_TRUE(pairs);
  ASSERT_EQ(pairs->size(), 1U);
  EXPECT_EQ(pairs->front().a, "hf://x/y");
  EXPECT_TRUE(pairs->front().derived);
  EXPECT_EQ(pairs->front().source, "s");
}

TEST(PairList, NamesWhatIsWrong) {
  const std::string good =
      R"({"a": "x", "b": "y", "relation": "independent", "kind": "k", "source": "s"})";
  const std::string turned =
      R"({"a": "y", "b": "x", "relation": "independent", "kind": "k", "source": "s"})";
  const auto problem_of = [](const std::string& pairs) {
    return ReadPairList(ListOf(pairs)).error().problem;
  };
  EXPECT_EQ(problem_of(good + "," + turned), "pairs[1].b is not what it should be");
  EXPECT_EQ(ReadPairList(ListOf(good + "," + turned)).error().expected,
            "a pair that is not in the list");
  EXPECT_EQ(problem_of(R"({"a": "x", "b": "y", "relation": "cousin", "kind": "k", "source": "s"})"),
            "pairs[0].relation is not what it should be");
  EXPECT_EQ(
      problem_of(R"({"a": "x", "b": "x", "relation": "derived", "kind": "k", "source": "s"})"),
      "pairs[0].b is not what it should be");
  EXPECT_EQ(problem_of(R"({"a": "x", "b": "y", "relation": "derived", "kind": "k"})"),
            "pairs[0].source is not what it should be");
  EXPECT_EQ(problem_of("3"), "pairs[0] is no object");
  EXPECT_FALSE(ReadPairList(*ParseJson(R"({"pairs": []})")));
  EXPECT_FALSE(ReadPairList(*ParseJson("[]")));
}

TEST(PairList, OfPublishedModelsIsWellFormed) {
  const auto json = ReadJsonFile("benchmarks/real_pairs.json");
  ASSERT_TRUE(json);
  const auto pairs = ReadPairList(*json);
  ASSERT_TRUE(pairs) << DescribeError(pairs.error());
  size_t derived = 0;
  for (const ListedPair& pair : *pairs) {
    derived += pair.derived;
    for (const std::string& name : {pair.a, pair.b}) EXPECT_TRUE(name.starts_with("hf://")) << name;
  }
  EXPECT_GE(pairs->size(), 150U);
  EXPECT_GE(derived, 50U);
  EXPECT_GE(pairs->size() - derived, 50U);
}

}  // namespace
}  // namespace tensorguard::internal
