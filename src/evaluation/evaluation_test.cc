#include "evaluation/evaluation.h"

#include <gtest/gtest.h>

#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

TEST(Ranking, SeparatedScores) {
  const std::vector<double> derived = {0.9, 0.7};
  const std::vector<double> independent = {0.1, 0.4, 0.2};
  const Ranking ranking = RankPairs(derived, independent);
  EXPECT_EQ(ranking.auc, 1.0);
  EXPECT_EQ(ranking.found_at_no_false_positive, 1.0);
  EXPECT_DOUBLE_EQ(*ranking.margin, 0.3);
}

TEST(Ranking, TiesCountHalfAndAreNotFound) {
  const std::vector<double> derived = {0.5, 0.9};
  const std::vector<double> independent = {0.5, 0.1};
  const Ranking ranking = RankPairs(derived, independent);
  EXPECT_DOUBLE_EQ(*ranking.auc, (0.5 + 1 + 1 + 1) / 4);
  EXPECT_EQ(ranking.found_at_no_false_positive, 0.5);
  EXPECT_EQ(ranking.found_at_1_percent, 0.5);
  EXPECT_EQ(ranking.margin, 0.0);
}

TEST(Ranking, OnePercentMayBeWrong) {
  std::vector<double> independent(100, 0.1);
  independent[7] = 0.8;
  const Ranking ranking = RankPairs(std::vector<double>{0.5}, independent);
  EXPECT_EQ(ranking.found_at_no_false_positive, 0.0);
  EXPECT_EQ(ranking.found_at_1_percent, 1.0);
}

TEST(Ranking, NothingToCompareIsNoNumber) {
  const Ranking ranking = RankPairs(std::vector<double>{0.5}, {});
  EXPECT_FALSE(ranking.auc);
  EXPECT_FALSE(ranking.margin);
  EXPECT_EQ(ranking.lowest_derived, 0.5);
}

std::vector<TruthModel> SmallTruth() {
  return {
      {.name = "a", .root = "a", .kind = "base", .relation = Relation::kBase},
      {.name = "b", .root = "b", .kind = "base", .relation = Relation::kBase},
      {.name = "a1", .root = "a", .parents = {"a"}, .kind = "sft", .relation = Relation::kDerived},
      {.name = "a2",
       .root = "a",
       .parents = {"a"},
       .kind = "distill",
       .relation = Relation::kIndependent}};
}

TEST(Pairs, EveryModelAgainstEveryBaseOnce) {
  const auto pairs = PairsToEvaluate(SmallTruth());
  ASSERT_EQ(pairs.size(), 5u);  // a-b, a1-a, a1-b, a2-a, a2-b
  EXPECT_EQ(pairs[0].kind, "unrelated");
  EXPECT_TRUE(pairs[1].derived);
  EXPECT_EQ(pairs[1].kind, "sft");
  EXPECT_FALSE(pairs[3].derived);
  EXPECT_EQ(pairs[3].kind, "distill");
  EXPECT_EQ(pairs[4].kind, "unrelated");
}

TEST(Evaluate, CountsVerdictsAndNearestBases) {
  const auto models = SmallTruth();
  const auto pairs = PairsToEvaluate(models);
  const std::vector<PairAnswer> answers = {{.score = 0.1, .verdict = "independent"},
                                           {.score = 0.9, .verdict = "derived"},
                                           {.score = 0.0, .verdict = "independent"},
                                           {.score = 0.3, .verdict = "derived"},
                                           {.score = {}, .verdict = "inconclusive"}};
  const Evaluation evaluation = Evaluate(models, pairs, answers);
  EXPECT_EQ(evaluation.unscored, 1u);
  EXPECT_EQ(evaluation.ranking.independent, 3u);
  EXPECT_EQ(evaluation.confusion.at("derived").at("derived"), 1u);
  EXPECT_EQ(evaluation.confusion.at("independent").at("derived"), 1u);
  EXPECT_EQ(evaluation.confusion.at("independent").at("inconclusive"), 1u);
  EXPECT_EQ(evaluation.nearest_base_asked, 1u);
  EXPECT_EQ(evaluation.nearest_base_right, 1u);
  EXPECT_EQ(evaluation.kinds.at("sft").found, 1u);
  EXPECT_EQ(evaluation.kinds.at("distill").lowest_score, 0.3);
}

TEST(Evaluate, EqualScoresAreNoNearestBase) {
  const auto models = SmallTruth();
  const auto pairs = PairsToEvaluate(models);
  const std::vector<PairAnswer> answers(5, {.score = 0.5, .verdict = "derived"});
  const Evaluation evaluation = Evaluate(models, pairs, answers);
  EXPECT_EQ(evaluation.nearest_base_right, 0u);
  EXPECT_EQ(evaluation.nearest_base_wrong, std::vector<std::string>{"a1"});
}

struct BadTruth {
  const char* json;
  const char* problem;
};

TEST(Truth, RefusesWhatIsNotOfItsForm) {
  const BadTruth bad[] = {
      {"{}", "the truth is no list"},
      {"[1]", "entry 1 is no object"},
      {R"([{"name":"../x","root":"x","kind":"base","relation":"base"}])",
       "entry 1.name is not what it should be"},
      {R"([{"name":"x","root":"x","kind":"base","relation":"cousin"}])",
       "entry 1.relation is not what it should be"},
      {R"([{"name":"x","root":"y","kind":"base","relation":"base"}])",
       "the root of x is no base of the list"},
      {R"([{"name":"x","root":"x","kind":"base","relation":"base"},
           {"name":"x","root":"x","kind":"base","relation":"base"}])",
       "a name occurs twice"},
      {R"([{"name":"x","root":"x","kind":"base","relation":"base","parents":["z"]}])",
       "x names a model that is not in the list"},
      {R"([{"name":"x","root":"x","kind":"base","relation":"base","parents":["x"],"weights":[]}])",
       "entry 1.weights is not what it should be"},
  };
  const ScratchFolder folder;
  for (const BadTruth& each : bad) {
    const auto models = ReadTruth(folder.Write("truth.json", each.json));
    ASSERT_FALSE(models) << each.json;
    EXPECT_EQ(models.error().problem, each.problem) << each.json;
    EXPECT_EQ(models.error().file, (folder.path() / "truth.json").string());
  }
}

TEST(Truth, ReadsTheZoo) {
  const auto path = SharedData("zoo/truth.json");
  SKIP_WITHOUT(path);
  const auto models = ReadTruth(path);
  ASSERT_TRUE(models) << DescribeError(models.error());
  EXPECT_EQ(models->size(), 55u);
  size_t merges_with_weights = 0;
  for (const TruthModel& model : *models) merges_with_weights += !model.weights.empty();
  EXPECT_EQ(merges_with_weights, 1u);
}

}  // namespace
}  // namespace tensorguard::internal
