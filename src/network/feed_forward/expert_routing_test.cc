#include "network/feed_forward/expert_routing.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tensorguard::internal {
namespace {

using Kind = RoutingKind;

// Probabilities 0.1, 0.2, 0.3, 0.4 by softmax.
const std::vector<float> kLogs = {std::log(1.0f), std::log(2.0f), std::log(3.0f), std::log(4.0f)};

// Sigmoids 0.5, 0.75, 0.8, 0.9.
const std::vector<float> kLogits = {0, std::log(3.0f), std::log(4.0f), std::log(9.0f)};

void ExpectShares(const std::vector<ExpertShare>& shares,
                  const std::vector<std::pair<uint32_t, float>>& expected) {
  ASSERT_EQ(shares.size(), expected.size());
  for (size_t i = 0; i < shares.size(); ++i) {
    EXPECT_EQ(shares[i].expert, expected[i].first);
    EXPECT_NEAR(shares[i].weight, expected[i].second, 1e-6) << "share " << i;
  }
}

TEST(ExpertRouting, SoftmaxThenTopK) {
  RoutingSettings settings = {.kind = Kind::kSoftmaxTopK, .experts_per_token = 2};
  ExpectShares(RouteToken(kLogs, {}, settings), {{3, 0.4f}, {2, 0.3f}});
  settings.normalise = true;
  ExpectShares(RouteToken(kLogs, {}, settings), {{3, 4 / 7.0f}, {2, 3 / 7.0f}});
  settings.scaling = 7;
  ExpectShares(RouteToken(kLogs, {}, settings), {{3, 4}, {2, 3}});
}

TEST(ExpertRouting, SoftmaxOfTheChosen) {
  const RoutingSettings settings = {.kind = Kind::kTopKSoftmax, .experts_per_token = 3};
  ExpectShares(RouteToken(kLogs, {}, settings), {{3, 4 / 9.0f}, {2, 3 / 9.0f}, {1, 2 / 9.0f}});
}

TEST(ExpertRouting, CorrectionChangesTheChoiceAndNotTheWeight) {
  const RoutingSettings settings = {.kind = Kind::kSigmoidGroups, .experts_per_token = 1};
  ExpectShares(RouteToken(kLogits, {}, settings), {{3, 0.9f}});
  const std::vector<float> correction = {1, 0, 0, 0};
  ExpectShares(RouteToken(kLogits, correction, settings), {{0, 0.5f}});
}

TEST(ExpertRouting, GroupsCountByTheirTwoBestOrTheirBest) {
  // Groups {0.75, 0.8} and {0.5, 0.9}: the first has the higher sum, the second the best.
  const std::vector<float> scores = {kLogits[1], kLogits[2], kLogits[0], kLogits[3]};
  RoutingSettings settings = {
      .kind = Kind::kSigmoidGroups, .experts_per_token = 1, .groups = 2, .kept_groups = 1};
  ExpectShares(RouteToken(scores, {}, settings), {{1, 0.8f}});
  settings.kind = Kind::kSoftmaxTopK;
  EXPECT_EQ(RouteToken(scores, {}, settings)[0].expert, 3u);
}

TEST(ExpertRouting, RootOfSoftplusDividesByTheSum) {
  const RoutingSettings settings = {
      .kind = Kind::kRootSoftplus, .experts_per_token = 2, .normalise = true};
  // sqrt(log(1 + e^x)) at log 4 and log 9: 1.2686, 1.5174.
  ExpectShares(RouteToken(kLogits, {}, settings), {{3, 0.5446492f}, {2, 0.4553508f}});
}

TEST(ExpertRouting, ATableOfTokensCanChoose) {
  const RoutingSettings settings = {
      .kind = Kind::kSigmoidGroups, .experts_per_token = 2, .normalise = true, .scaling = 2.6};
  const std::vector<uint32_t> chosen = {0, 2};
  ExpectShares(RouteToChosen(kLogits, chosen, settings), {{0, 1}, {2, 1.6f}});
}

TEST(ExpertRouting, TheBestTwoGiveTheirSharesToTheFirstTwo) {
  const RoutingSettings settings = {
      .kind = Kind::kTopTwoByRank, .experts_per_token = 2, .normalise = true};
  ExpectShares(RouteToken(kLogs, {}, settings), {{1, 4 / 7.0f}, {0, 3 / 7.0f}});
}

TEST(ExpertRouting, SigmoidScalesTheInput) {
  const RoutingSettings settings = {.kind = Kind::kSigmoidInput, .experts_per_token = 1};
  const auto shares = RouteToken(kLogits, {}, settings);
  ExpectShares(shares, {{3, 1}});
  EXPECT_NEAR(shares[0].input_factor, 0.9, 1e-6);
}

TEST(ExpertRouting, SparseMixerWeighsAgainstWhatIsNear) {
  // First choice 1.0: 0.99 is within 2 %, 0.9 is not. Second choice 0.99, alone but for 0.9, which
  // is farther than 2 %.
  const std::vector<float> scores = {1.0f, 0.99f, 0.9f, -1};
  const RoutingSettings settings = {
      .kind = Kind::kSparseMixer, .experts_per_token = 2, .jitter = 0.01};
  const float first = 1 / (1 + std::exp(-0.01f));
  ExpectShares(RouteToken(scores, {}, settings), {{0, first}, {1, 1}});
}

TEST(ExpertRouting, EqualScoresTakeTheFirst) {
  const std::vector<float> scores = {1, 1, 1};
  const RoutingSettings settings = {.experts_per_token = 2};
  ExpectShares(RouteToken(scores, {}, settings), {{0, 1 / 3.0f}, {1, 1 / 3.0f}});
}

TEST(ExpertRouting, ScoresThatAreNoNumbersStillGiveExperts) {
  const std::vector<float> scores = {NAN, NAN, NAN};
  for (const auto kind : {Kind::kSoftmaxTopK, Kind::kTopKSoftmax, Kind::kSigmoidGroups,
                          Kind::kSigmoidInput, Kind::kSparseMixer}) {
    const auto shares = RouteToken(scores, {}, {.kind = kind, .experts_per_token = 2});
    ASSERT_EQ(shares.size(), 2u);
    EXPECT_LT(shares[0].expert, 3u);
    EXPECT_LT(shares[1].expert, 3u);
  }
}

Result<RoutingSettings> Read(const Json& config, std::optional<Kind> kind = {},
                             bool correction = false) {
  return ReadRouting(ConfigView(config), {.kind = kind}, 8, correction);
}

TEST(ReadRouting, TakesWhatTheConfigSays) {
  const auto settings = Read({{"num_experts_per_tok", 4},
                              {"n_group", 4},
                              {"topk_group", 2},
                              {"routed_scaling_factor", 2.5},
                              {"scoring_func", "sigmoid"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->kind, Kind::kSigmoidGroups);
  EXPECT_EQ(settings->experts_per_token, 4u);
  EXPECT_EQ(settings->groups, 4u);
  EXPECT_EQ(settings->kept_groups, 2u);
  EXPECT_TRUE(settings->normalise);
  EXPECT_EQ(settings->scaling, 2.5);
}

TEST(ReadRouting, ACorrectionMeansSigmoidsWhereNothingSaysOtherwise) {
  Json config = {{"num_experts_per_tok", 1}};
  EXPECT_EQ(Read(config, {}, true)->kind, Kind::kSigmoidGroups);
  EXPECT_EQ(Read(config, {}, false)->kind, Kind::kSoftmaxTopK);
  EXPECT_EQ(Read(config, Kind::kTopKSoftmax, false)->kind, Kind::kTopKSoftmax);
  EXPECT_EQ(Read(config, Kind::kTopKSoftmax, true)->kind, Kind::kSigmoidGroups);
  EXPECT_EQ(Read(config, Kind::kSoftmaxTopK, true)->kind, Kind::kSoftmaxTopK);
  config["scoring_func"] = "softmax";
  EXPECT_EQ(Read(config, {}, true)->kind, Kind::kSoftmaxTopK);
  config["scoring_func"] = "sigmoid";
  EXPECT_EQ(Read(config, Kind::kTopKSoftmax, false)->kind, Kind::kSigmoidGroups);
}

TEST(ReadRouting, RanksCountFromAVersionOn) {
  Json config = {{"num_experts_per_tok", 2}};
  EXPECT_EQ(Read(config, Kind::kTopTwoByRank)->kind, Kind::kSoftmaxTopK);
  for (const auto& [version, kind] : {std::pair{"4.28.0.dev0", Kind::kSoftmaxTopK},
                                      {"4.57.1", Kind::kTopTwoByRank},
                                      {"5.0.0", Kind::kTopTwoByRank},
                                      {"unheard of", Kind::kSoftmaxTopK}}) {
    config["transformers_version"] = version;
    EXPECT_EQ(Read(config, Kind::kTopTwoByRank)->kind, kind) << version;
  }
}

TEST(ReadRouting, SoftmaxHasGroupsOnlyWhereTheMethodSaysSo) {
  Json config = {{"num_experts_per_tok", 2}, {"n_group", 4}, {"topk_group", 1}};
  EXPECT_EQ(Read(config, Kind::kSoftmaxTopK)->groups, 1u);
  config["topk_method"] = "group_limited_greedy";
  EXPECT_EQ(Read(config, Kind::kSoftmaxTopK)->groups, 4u);
}

void ExpectRefused(const Json& config, const std::string& problem) {
  const auto settings = Read(config, Kind::kSigmoidGroups);
  ASSERT_FALSE(settings) << config.dump();
  EXPECT_EQ(settings.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(settings.error().problem, problem);
}

TEST(ReadRouting, NamesTheKeyThatMakesNoSense) {
  ExpectRefused({}, "config.json does not state \"num_experts_per_tok\"");
  ExpectRefused(
      {{"num_experts_per_tok", 9}},
      "\"num_experts_per_tok\" of config.json is more than the experts that can be chosen");
  ExpectRefused({{"num_experts_per_tok", 0}},
                "\"num_experts_per_tok\" of config.json is no usable number");
  ExpectRefused({{"num_experts_per_tok", "two"}},
                "\"num_experts_per_tok\" of config.json is no usable number");
  ExpectRefused({{"num_experts_per_tok", 2}, {"n_group", 0}},
                "\"n_group\" of config.json is no usable number");
  ExpectRefused({{"num_experts_per_tok", 2}, {"n_group", 3}},
                "\"n_group\" of config.json does not divide the experts");
  ExpectRefused({{"num_experts_per_tok", 2}, {"n_group", 16}},
                "\"n_group\" of config.json does not divide the experts");
  ExpectRefused({{"num_experts_per_tok", 2}, {"n_group", 4}, {"topk_group", 5}},
                "\"topk_group\" of config.json is more than the groups there are");
  ExpectRefused(
      {{"num_experts_per_tok", 3}, {"n_group", 4}, {"topk_group", 1}},
      "\"num_experts_per_tok\" of config.json is more than the experts that can be chosen");
  ExpectRefused({{"num_experts_per_tok", 1ull << 41}},
                "\"num_experts_per_tok\" of config.json is no usable number");
}

}  // namespace
}  // namespace tensorguard::internal
