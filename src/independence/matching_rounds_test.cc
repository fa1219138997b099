#include "independence/matching_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;

const std::vector<double> kTwelve = {0.2, 0.2, 0.2, 0.9, 0.2, 0.2, 0.2, 0.2, 0.8, 0.2, 0.2, 0.2};

std::vector<size_t> PairsOf(const std::vector<MatchedPair>& matched) {
  std::vector<size_t> pairs;
  for (const MatchedPair& each : matched) pairs.push_back(each.pair);
  return pairs;
}

// Every pair agrees in `agreeing` of 100 units, if it is one of `alike`.
MatchPair Agreeing(const std::vector<size_t>& alike, uint64_t agreeing) {
  return [=](size_t pair) -> Result<std::vector<Agreement>> {
    const bool is_alike = std::find(alike.begin(), alike.end(), pair) != alike.end();
    return std::vector<Agreement>{
        {.matrices = "up and down", .units = 100, .agreeing = is_alike ? agreeing : 1}};
  };
}

TEST(FirstRound, IsTheMostSimilarAndSomeOfTheOthers) {
  EXPECT_THAT(FirstRound(kTwelve), ElementsAre(2, 3, 8, 9));
  EXPECT_THAT(FirstRound({0.1, 0.1, 0.1, 0.1}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(FirstRound({}), ElementsAre());
}

TEST(MatchInRounds, LeavesOutTheRestWhereNothingIsFound) {
  const auto matched = MatchInRounds(kTwelve, Agreeing({}, 0));
  ASSERT_TRUE(matched);
  EXPECT_THAT(PairsOf(*matched), ElementsAre(2, 3, 8, 9));
}

TEST(MatchInRounds, AsksAllWhereOneOfTheFirstAgrees) {
  for (const size_t alike : {3, 9}) {
    const auto matched = MatchInRounds(kTwelve, Agreeing({alike}, 60));
    ASSERT_TRUE(matched);
    EXPECT_EQ(matched->size(), kTwelve.size()) << alike;
  }
}

TEST(MatchInRounds, AsksAllWhereAllAgreeALittleMoreThanAllowed) {
  const auto matched = MatchInRounds(kTwelve, Agreeing({2, 3, 8, 9}, 20));
  ASSERT_TRUE(matched);
  EXPECT_EQ(matched->size(), kTwelve.size());
}

TEST(MatchInRounds, AsksAllWhereTheFirstHaveNoUnits) {
  std::vector<size_t> asked;
  const auto matched = MatchInRounds(kTwelve, [&](size_t pair) -> Result<std::vector<Agreement>> {
    asked.push_back(pair);
    return std::vector<Agreement>();
  });
  ASSERT_TRUE(matched);
  EXPECT_TRUE(matched->empty());
  EXPECT_EQ(asked.size(), kTwelve.size());
}

TEST(MatchInRounds, GivesTheFirstError) {
  const auto matched = MatchInRounds(kTwelve, [](size_t) -> Result<std::vector<Agreement>> {
    return Error{.problem = "unreadable"};
  });
  ASSERT_FALSE(matched);
  EXPECT_EQ(matched.error().problem, "unreadable");
}

}  // namespace
}  // namespace tensorguard::internal
