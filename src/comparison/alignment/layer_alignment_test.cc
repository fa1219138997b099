#include "comparison/alignment/layer_alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace tensorguard::internal {
namespace {

std::vector<size_t> Indices(size_t count) {
  std::vector<size_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// Layers whose cosines are the entries of `wanted`.
LayerSimilarity SimilarityOf(const std::vector<std::vector<double>>& wanted) {
  const size_t columns = wanted.empty() ? 0 : wanted[0].size();
  LayerSimilarity::CosineTables cosines;
  for (auto& table : cosines) table.resize(wanted.size() * columns);
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (size_t j = 0; j < columns; ++j) cosines[0][i * columns + j] = wanted[i][j];
  }
  return LayerSimilarity(Indices(wanted.size()), Indices(columns), cosines);
}

double BestByTryingAll(const std::vector<std::vector<double>>& s, size_t i, size_t j) {
  if (i == s.size() || j == s[0].size()) return 0;
  return std::max({BestByTryingAll(s, i + 1, j), BestByTryingAll(s, i, j + 1),
                   s[i][j] + BestByTryingAll(s, i + 1, j + 1)});
}

TEST(AlignLayers, FindsWhatTryingAllFinds) {
  std::mt19937 generator(4);
  std::uniform_real_distribution<double> uniform(-0.5, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<double>> s(3 + round % 3, std::vector<double>(4 + round % 2));
    for (auto& row : s) {
      for (double& value : row) value = uniform(generator);
    }
    const auto alignment = AlignLayers(SimilarityOf(s));
    const double shallower = static_cast<double>(std::min(s.size(), s[0].size()));
    EXPECT_NEAR(alignment.score, BestByTryingAll(s, 0, 0) / shallower, 1e-12);
    double sum = 0;
    for (size_t k = 0; k < alignment.path.size(); ++k) {
      sum += alignment.path[k].similarity;
      if (k == 0) continue;
      EXPECT_GT(alignment.path[k].row, alignment.path[k - 1].row);
      EXPECT_GT(alignment.path[k].column, alignment.path[k - 1].column);
    }
    EXPECT_NEAR(sum, alignment.score * shallower, 1e-12);
  }
}

// Two layers, of which the other model has the mixers in its first and third layer and the
// feed-forwards in its second and fourth.
TEST(ScoreOfHalves, FindsHalvesThatLieApart) {
  LayerSimilarity::CosineTables cosines;
  for (auto& table : cosines) table.assign(8, 0.0);
  for (const size_t mixer : {0, 1}) cosines[mixer][0] = cosines[mixer][4 + 2] = 0.9;
  cosines[2][1] = cosines[2][4 + 3] = 0.6;
  const LayerSimilarity similarity(Indices(2), Indices(4), cosines);
  EXPECT_NEAR(ScoreOfHalves(similarity), 0.8, 1e-12);
  EXPECT_NEAR(AlignLayers(similarity).score, 0.6, 1e-12);
}

TEST(ScoreOfHalves, IsThatOfWholeLayersWhereTheyStayTogether) {
  LayerSimilarity::CosineTables cosines;
  for (auto& table : cosines) table = {0.9, 0.1, 0.0, 0.6};
  const LayerSimilarity similarity(Indices(2), Indices(2), cosines);
  EXPECT_NEAR(ScoreOfHalves(similarity), AlignLayers(similarity).score, 1e-12);
  EXPECT_EQ(ScoreOfHalves(LayerSimilarity({}, {}, {})), 0);
}

TEST(AlignLayers, ComparesThePathWithTheRest) {
  const auto alignment =
      AlignLayers(SimilarityOf({{0.9, 0.1, 0.3}, {0.1, 0.0, 0.7}, {-0.2, 0.0, 0.1}}));
  ASSERT_EQ(alignment.path.size(), 2u);
  EXPECT_EQ(alignment.path[1].row, 1u);
  EXPECT_EQ(alignment.path[1].column, 2u);
  EXPECT_NEAR(alignment.score, 1.6 / 3, 1e-12);
  EXPECT_EQ(alignment.off_path.pairs, 7u);
  EXPECT_NEAR(alignment.off_path.mean, 0.4 / 7, 1e-12);
  EXPECT_NEAR(alignment.off_path.highest, 0.3, 1e-12);
}

TEST(AlignLayers, HasNoScoreWithoutLayers) {
  const auto alignment = AlignLayers(SimilarityOf({}));
  EXPECT_EQ(alignment.path.size(), 0u);
  EXPECT_EQ(alignment.score, 0);
  EXPECT_EQ(alignment.off_path.pairs, 0u);
}

TEST(AlignLayers, MatchesNoLayersThatHaveNoKernelInCommon) {
  NormalisedKernels attention{.layers = {{.layer = 0}}};
  attention.layers[0].rows[0] = 0;
  attention.kinds[0] = {.units = FloatMatrix(1, 1), .norms = {1}};
  attention.kinds[0].units.values()[0] = 1;
  NormalisedKernels feed_forward{.layers = {{.layer = 0}}};
  feed_forward.layers[0].rows[2] = 0;
  feed_forward.kinds[2] = attention.kinds[0];
  const auto alignment = AlignLayers(LayerSimilarity(attention, feed_forward));
  EXPECT_EQ(alignment.path.size(), 0u);
  EXPECT_EQ(alignment.off_path.pairs, 0u);
}

}  // namespace
}  // namespace tensorguard::internal
