#include "families/similarity_matrix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "families/clustering.h"
#include "families/similarity_layout.h"

namespace tensorguard::internal {
namespace {

// Two families, {a, b, c} and {d, e}, far apart.
SimilarityMatrix TwoFamilies() {
  SimilarityMatrix scores({"a", "b", "c", "d", "e"});
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = i + 1; j < 5; ++j) scores.SetScore(i, j, (i < 3) == (j < 3) ? 0.8 : 0.1);
  }
  return scores;
}

TEST(FindFamilies, FindsThemWithoutBeingToldHowMany) {
  const Families families = FindFamilies(TwoFamilies(), 0.5);
  EXPECT_EQ(families.count, 2u);
  EXPECT_EQ(families.family_of_model, (std::vector<size_t>{0, 0, 0, 1, 1}));
  EXPECT_NEAR(*families.silhouette, (0.9 - 0.2) / 0.9, 1e-12);
}

TEST(FindFamilies, AChainHoldsTogetherOnlyByItsMean) {
  SimilarityMatrix scores({"a", "b", "c"});
  scores.SetScore(0, 1, 0.9);
  scores.SetScore(1, 2, 0.6);
  scores.SetScore(0, 2, 0.2);
  EXPECT_EQ(FindFamilies(scores, 0.5).count, 2u);  // c to {a, b}: 0.4
  EXPECT_EQ(FindFamilies(scores, 0.4).count, 1u);
}

TEST(FindFamilies, APairWithoutAScoreIsNoEvidence) {
  SimilarityMatrix scores({"a", "b", "c"});
  scores.SetScore(0, 1, 0.9);
  const Families families = FindFamilies(scores, 0.0);
  EXPECT_EQ(families.count, 2u);
  EXPECT_FALSE(families.silhouette);
}

TEST(EmbedSimilarities, DistancesComeBack) {
  const auto points = EmbedSimilarities(TwoFamilies());
  ASSERT_TRUE(points);
  const Matrix& rows = points->points;
  EXPECT_NEAR(Distance(rows.Row(0), rows.Row(1)), std::sqrt(2 * (1 - 0.8)), 1e-9);
  EXPECT_NEAR(Distance(rows.Row(0), rows.Row(4)), std::sqrt(2 * (1 - 0.1)), 1e-9);
}

TEST(EmbedSimilarities, KMeansFindsTheFamiliesThere) {
  const auto points = EmbedSimilarities(TwoFamilies());
  ASSERT_TRUE(points);
  const auto clustering = ClusterByKMeans(*points, {.center_names = {"b", "d"}});
  ASSERT_TRUE(clustering);
  EXPECT_EQ(clustering->cluster_of_model, (std::vector<size_t>{0, 0, 0, 1, 1}));
}

TEST(EmbedSimilarities, EqualModelsAreOnePoint) {
  SimilarityMatrix scores({"a", "b"});
  scores.SetScore(0, 1, 1);
  const auto points = EmbedSimilarities(scores);
  ASSERT_TRUE(points);
  EXPECT_EQ(points->points.columns(), 0u);
}

TEST(EmbedSimilarities, AMissingScoreIsAnError) {
  const auto points = EmbedSimilarities(SimilarityMatrix({"a", "b"}));
  ASSERT_FALSE(points);
  EXPECT_EQ(points.error().problem, "\"a\" and \"b\" cannot be compared");
}

double Apart(const std::array<double, 2>& a, const std::array<double, 2>& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

TEST(LayOutModels, FamiliesStandTogetherAndApart) {
  const auto points = LayOutModels(TwoFamilies(), std::vector<size_t>{0, 0, 0, 1, 1});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_LT(Apart(points[i], points[(i + 1) % 3]), Apart(points[i], points[3])) << i;
    EXPECT_NEAR(Apart(points[i], points[4]), std::sqrt(2 * 0.9), 0.2) << i;
  }
}

TEST(LayOutModels, ModelsThatAreAllUnlikeDoNotCoincide) {
  SimilarityMatrix scores({"a", "b", "c", "d", "e"});
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = i + 1; j < 5; ++j) scores.SetScore(i, j, 0);
  }
  const auto points = LayOutModels(scores, std::vector<size_t>{0, 1, 2, 3, 4});
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = i + 1; j < 5; ++j) EXPECT_GT(Apart(points[i], points[j]), 0.8);
  }
}

}  // namespace
}  // namespace tensorguard::internal
