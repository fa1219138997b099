#include "network/attention/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tensorguard::internal {
namespace {

FloatMatrix MatrixOf(std::vector<std::vector<float>> rows) {
  FloatMatrix matrix(rows.size(), rows.front().size());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy(rows[i].begin(), rows[i].end(), matrix.Row(i).begin());
  }
  return matrix;
}

// Queries of zero: all keys that are seen get the same weight.
AttentionRows EvenRows() {
  return {.queries = MatrixOf({{0}, {0}, {0}, {0}}),
          .keys = MatrixOf({{1}, {2}, {3}, {4}}),
          .values = MatrixOf({{1}, {2}, {4}, {8}})};
}

constexpr AttentionShape kOneHead = {.heads = 1, .key_heads = 1, .head_size = 1, .value_size = 1};

std::vector<float> ValuesOf(const FloatMatrix& matrix) {
  return {matrix.values().begin(), matrix.values().end()};
}

TEST(Attend, SeesOnlyWhatCameBefore) {
  const FloatMatrix mixed = Attend(EvenRows(), kOneHead, {});
  EXPECT_THAT(ValuesOf(mixed),
              testing::Pointwise(testing::FloatEq(), std::vector<float>{1, 1.5, 7.0f / 3, 3.75}));
}

TEST(Attend, SeesAllWhereItIsNotCausal) {
  const FloatMatrix mixed = Attend(EvenRows(), kOneHead, {.causal = false});
  EXPECT_THAT(ValuesOf(mixed), testing::Each(testing::FloatEq(3.75)));
}

TEST(Attend, SeesAWindow) {
  const FloatMatrix mixed = Attend(EvenRows(), kOneHead, {.window = 2});
  EXPECT_EQ(ValuesOf(mixed), std::vector<float>({1, 1.5, 3, 6}));
}

TEST(Attend, SeesItsChunk) {
  const FloatMatrix mixed = Attend(EvenRows(), kOneHead, {.chunk = 2});
  EXPECT_EQ(ValuesOf(mixed), std::vector<float>({1, 1.5, 4, 6}));
}

TEST(Attend, LosesToASinkWhatItTakes) {
  // One key with score 0 beside a sink of 0: half.
  const FloatMatrix mixed = Attend(EvenRows(), kOneHead, {.window = 1, .sinks = {0}});
  EXPECT_EQ(ValuesOf(mixed), std::vector<float>({0.5, 1, 2, 4}));
}

TEST(Attend, CountsKeysByHowLikelyPlanesLeaveThemOnTheQuerysSide) {
  // One key points where the query does, the other stands at a right angle: 1 and 1/4.
  const AttentionRows rows = {.queries = MatrixOf({{2, 0}, {0, 3}}),
                              .keys = MatrixOf({{5, 0}, {0, 7}}),
                              .values = MatrixOf({{4, 0}, {0, 4}})};
  const AttentionShape shape = {.heads = 1, .key_heads = 1, .head_size = 2, .value_size = 2};
  const FloatMatrix mixed = Attend(rows, shape, {.causal = false, .hash_bits = 2});
  const float length = std::sqrt(17.0f);
  EXPECT_THAT(ValuesOf(mixed), testing::Pointwise(testing::FloatNear(1e-6f),
                                                  std::vector<float>{4 / length, 1 / length,
                                                                     1 / length, 4 / length}));
}

TEST(Attend, SeesFurtherAheadThanBehind) {
  const FloatMatrix mixed =
      Attend(EvenRows(), kOneHead, {.causal = false, .window = 1, .window_ahead = 2});
  EXPECT_EQ(ValuesOf(mixed), std::vector<float>({1.5, 3, 6, 8}));
}

TEST(Attend, AddsSlopesByDistance) {
  AttentionRows rows = EvenRows();
  const float slope = std::log(2.0f);  // each step back halves the weight
  const FloatMatrix mixed = Attend(std::move(rows), kOneHead, {.slopes = {slope}});
  EXPECT_NEAR(mixed.Row(1)[0], (1.0 / 2 * 1 + 2) / 1.5, 1e-6);
}

TEST(Attend, CapsScores) {
  AttentionRows rows{.queries = MatrixOf({{1}, {1}}),
                     .keys = MatrixOf({{0}, {1e6}}),
                     .values = MatrixOf({{0}, {1}})};
  const FloatMatrix mixed = Attend(std::move(rows), kOneHead, {.softcap = 1.0f});
  EXPECT_NEAR(mixed.Row(1)[0], std::exp(1.0) / (1 + std::exp(1.0)), 1e-6);
}

TEST(Attend, SharesKeysAmongHeadsInOrder) {
  const AttentionShape shape{.heads = 4, .key_heads = 2, .head_size = 1, .value_size = 1};
  AttentionRows rows{.queries = MatrixOf({{0, 0, 0, 0}}),
                     .keys = MatrixOf({{0, 0}}),
                     .values = MatrixOf({{3, 5}})};
  EXPECT_EQ(ValuesOf(Attend(rows, shape, {})), std::vector<float>({3, 3, 5, 5}));
  EXPECT_EQ(ValuesOf(AttendAlone(rows, shape, {})), std::vector<float>({3, 3, 5, 5}));
}

TEST(Attend, ReadsAnotherSequence) {
  AttentionRows rows{.queries = MatrixOf({{0}}),
                     .keys = MatrixOf({{1}, {2}, {3}}),
                     .values = MatrixOf({{1}, {2}, {3}})};
  EXPECT_EQ(ValuesOf(Attend(std::move(rows), kOneHead, {.causal = false})),
            std::vector<float>({2}));
}

TEST(AttendAlone, IsAttentionOverOneToken) {
  const AttentionShape shape{.heads = 2, .key_heads = 1, .head_size = 2, .value_size = 1};
  const AttentionRule rule{.scale = 0.5f, .sinks = {0.25f, -1.0f}};
  const AttentionRows rows{.queries = MatrixOf({{1, 2, -1, 0.5f}}),
                           .keys = MatrixOf({{0.5f, 1}}),
                           .values = MatrixOf({{2}})};
  const std::vector<float> expected = ValuesOf(Attend(rows, shape, rule));
  EXPECT_THAT(ValuesOf(AttendAlone(rows, shape, rule)),
              testing::Pointwise(testing::FloatNear(1e-6f), expected));
}

TEST(Rotate, LeavesPositionZeroAlone) {
  std::vector<float> head = {1, 2, 3, 4};
  Rotate({.frequencies = {1, 0.5f}}, 0, head);
  EXPECT_EQ(head, std::vector<float>({1, 2, 3, 4}));
}

TEST(Rotate, TurnsPairsByTheirLayout) {
  const float quarter = std::acos(0.0f);
  std::vector<float> halves = {1, 2, 3, 4};
  Rotate({.frequencies = {quarter, 0}}, 1, halves);
  EXPECT_THAT(halves,
              testing::Pointwise(testing::FloatNear(1e-6f), std::vector<float>{-3, 2, 1, 4}));
  std::vector<float> neighbours = {1, 2, 3, 4};
  Rotate({.frequencies = {quarter, 0}, .interleaved = true}, 1, neighbours);
  EXPECT_THAT(neighbours,
              testing::Pointwise(testing::FloatNear(1e-6f), std::vector<float>{-2, 1, 3, 4}));
}

TEST(Rotate, StartsAtItsFirstColumn) {
  std::vector<float> head = {9, 1, 0};
  Rotate({.first = 1, .frequencies = {std::acos(0.0f)}}, 1, head);
  EXPECT_THAT(head, testing::Pointwise(testing::FloatNear(1e-6f), std::vector<float>{9, 0, 1}));
}

// What rotary positions are for: scores hang on the distance alone.
TEST(Attend, ScoresHangOnTheDistance) {
  const Rotary rotary{.frequencies = {0.7f}};
  const auto score = [&](size_t query_position, size_t key_position) {
    std::vector<float> query = {1, 2};
    std::vector<float> key = {3, -1};
    Rotate(rotary, query_position, query);
    Rotate(rotary, key_position, key);
    return query[0] * key[0] + query[1] * key[1];
  };
  EXPECT_NEAR(score(3, 1), score(9, 7), 1e-5);
  EXPECT_GT(std::abs(score(3, 1) - score(3, 2)), 0.1);
}

}  // namespace
}  // namespace tensorguard::internal
