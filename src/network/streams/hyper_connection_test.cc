#include "network/streams/hyper_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>

#include "architecture/table/architecture_table.h"
#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kStreams = 2;
constexpr uint64_t kHidden = 3;

// Without a map, what the streams hold decides nothing: base alone does.
class HyperConnectionOf : public ::testing::Test {
 protected:
  HyperConnectionOf()
      : layer_({{"model.layers.0.attn_hc.fn", {{8, 6}, std::vector<float>(48)}},
                {"model.layers.0.attn_hc.base", {{8}, {100, -100, 0, 100, 3, 1, -2, 0}}},
                {"model.layers.0.attn_hc.scale", {{3}, {1, 1, 1}}}},
               {{"hc_mult", kStreams}, {"hc_eps", 1e-9}}),
        parts_(layer_.parts()),
        connection_(FindHyperConnection({.source = &parts_.source(),
                                         .config = layer_.config(),
                                         .traits = &GenericTraits(),
                                         .hidden_size = kHidden,
                                         .assumed = &assumed_},
                                        parts_, "attn_hc")) {}

  std::set<std::string> assumed_;
  TestLayer layer_;
  LayerParts parts_;
  std::optional<HyperConnection> connection_;
};

TEST_F(HyperConnectionOf, ReadsAndWritesByItsShares) {
  ASSERT_TRUE(connection_);
  const FloatMatrix streams = MatrixOf({{1, 2, 3, 40, 50, 60}});
  const auto opened = OpenStreams(*connection_, streams);
  ASSERT_TRUE(opened);
  // The first stream counts whole, the second not at all.
  for (size_t i = 0; i < kHidden; ++i)
    EXPECT_NEAR(opened->input.Row(0)[i], streams.Row(0)[i], 1e-5);
  EXPECT_NEAR(opened->shares.Row(0)[0], 1, 1e-6);
  EXPECT_NEAR(opened->shares.Row(0)[1], 2, 1e-6);
}

TEST_F(HyperConnectionOf, MixesStreamsWithoutGainOrLoss) {
  ASSERT_TRUE(connection_);
  const FloatMatrix streams = MatrixOf({{1, 2, 3, 40, 50, 60}});
  const auto opened = OpenStreams(*connection_, streams);
  ASSERT_TRUE(opened);
  const auto mixture = opened->mixture.Row(0);
  EXPECT_NEAR(mixture[0] + mixture[1], 1, 1e-4);
  EXPECT_NEAR(mixture[0] + mixture[2], 1, 1e-4);
  EXPECT_GT(mixture[0], mixture[1]);
  // So the streams' sum stays, and what is added comes with both shares.
  const auto closed = CloseStreams(*opened, MatrixOf({{1, 1, 1}}), streams);
  const auto sum = [](const FloatMatrix& rows) {
    return std::accumulate(rows.values().begin(), rows.values().end(), 0.0);
  };
  EXPECT_NEAR(sum(closed), sum(streams) + 3 * 3, 1e-2);
}

TEST(HyperConnections, AreNotFoundWhereShapesDoNotFit) {
  const TestLayer layer({{"model.layers.0.attn_hc.fn", {{8, 5}, std::vector<float>(40)}},
                         {"model.layers.0.attn_hc.base", {{8}, std::vector<float>(8)}},
                         {"model.layers.0.attn_hc.scale", {{3}, {1, 1, 1}}}},
                        {{"hc_mult", kStreams}});
  const auto parts = layer.parts();
  std::set<std::string> assumed;
  EXPECT_FALSE(FindHyperConnection({.source = &parts.source(),
                                    .config = layer.config(),
                                    .traits = &GenericTraits(),
                                    .hidden_size = kHidden,
                                    .assumed = &assumed},
                                   parts, "attn_hc"));
}

TEST(RepeatStreams, CopiesEachRow) {
  EXPECT_THAT(RepeatStreams(MatrixOf({{1, 2}, {3, 4}}), 2).values(),
              testing::ElementsAre(1, 2, 1, 2, 3, 4, 3, 4));
}

}  // namespace
}  // namespace tensorguard::internal
