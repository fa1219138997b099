#include "paper/feature_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PaperFeatures Model(std::string name, std::map<std::string, double, std::less<>> values) {
  return {.model_name = std::move(name), .values = std::move(values)};
}

TEST(FeatureMatrix, StandardisesByThePopulationsVariance) {
  const PaperFeatures models[] = {
      Model("a", {{"global_mean", 1}, {"global_std", 0.1}, {"num_layers", 10}}),
      Model("b", {{"global_mean", 2}, {"global_std", 0.1}, {"num_layers", 10}}),
      Model("c", {{"global_mean", 6}, {"global_std", 0.1}, {"num_layers", 10}}),
  };
  const auto matrix = BuildFeatureMatrix(models, MissingFeature::kRefuse);
  ASSERT_TRUE(matrix) << DescribeError(matrix.error());
  EXPECT_THAT(matrix->model_names, ElementsAre("a", "b", "c"));
  EXPECT_THAT(matrix->feature_names, ElementsAre("global_mean", "global_std", "num_layers"));
  const double deviation = std::sqrt(14.0 / 3);
  EXPECT_DOUBLE_EQ(matrix->points.Row(0)[0], -2 / deviation);
  EXPECT_DOUBLE_EQ(matrix->points.Row(2)[0], 3 / deviation);
  // 0.1 three times has a variance of rounding only.
  EXPECT_EQ(matrix->points.Row(0)[1], 0);
  EXPECT_EQ(matrix->points.Row(1)[2], 0);
  EXPECT_THAT(matrix->scale.is_constant, ElementsAre(false, true, true));
}

TEST(FeatureMatrix, AMissingFeatureIsRefusedUnlessImputedByTheMean) {
  const PaperFeatures models[] = {
      Model("a", {{"global_mean", 1}, {"ffn_mean", 4}}),
      Model("b", {{"global_mean", 2}}),
      Model("c", {{"global_mean", 3}, {"ffn_mean", 8}}),
  };
  const auto refused = BuildFeatureMatrix(models, MissingFeature::kRefuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kMismatch);
  EXPECT_THAT(refused.error().problem, HasSubstr("model \"b\" has no feature ffn_mean"));

  const auto imputed = BuildFeatureMatrix(models, MissingFeature::kImpute);
  ASSERT_TRUE(imputed);
  ASSERT_EQ(imputed->imputed.size(), 1u);
  EXPECT_EQ(imputed->imputed[0].model_name, "b");
  EXPECT_EQ(imputed->imputed[0].feature_name, "ffn_mean");
  EXPECT_EQ(imputed->imputed[0].value, 6);
  EXPECT_EQ(imputed->points.Row(1)[1], 0) << "the mean, not the value 0";
}

TEST(FeatureMatrix, RefusesWhatHasNoMeaning) {
  EXPECT_EQ(BuildFeatureMatrix({}, MissingFeature::kRefuse).error().kind, ErrorKind::kUsage);

  const PaperFeatures twice[] = {Model("a", {{"global_mean", 1}}), Model("a", {})};
  EXPECT_THAT(BuildFeatureMatrix(twice, MissingFeature::kRefuse).error().problem,
              HasSubstr("two fingerprints have the model name \"a\""));

  const PaperFeatures far[] = {Model("a", {{"global_mean", 1e300}}),
                               Model("b", {{"global_mean", -1e300}})};
  EXPECT_THAT(BuildFeatureMatrix(far, MissingFeature::kRefuse).error().problem,
              HasSubstr("global_mean are too far apart"));
}

class Placing : public ::testing::Test {
 protected:
  const std::vector<PaperFeatures> models_ = {
      Model("a", {{"global_mean", 1}, {"num_layers", 10}}),
      Model("b", {{"global_mean", 3}, {"num_layers", 10}}),
  };
  const FeatureMatrix population_ = *BuildFeatureMatrix(models_, MissingFeature::kRefuse);
};

TEST_F(Placing, UsesThePopulationsScale) {
  const auto placed = PlaceInPopulation(Model("x", {{"global_mean", 6}, {"num_layers", 10}}),
                                        population_, MissingFeature::kRefuse);
  ASSERT_TRUE(placed) << DescribeError(placed.error());
  EXPECT_THAT(placed->point, ElementsAre(4, 0));
  EXPECT_TRUE(placed->unscaled_features.empty());
}

TEST_F(Placing, NamesAFeatureThatHasNoScale) {
  const auto placed = PlaceInPopulation(Model("x", {{"global_mean", 2}, {"num_layers", 7}}),
                                        population_, MissingFeature::kRefuse);
  ASSERT_TRUE(placed);
  EXPECT_THAT(placed->point, ElementsAre(0, -3)) << "the bare difference, as in the reference";
  EXPECT_THAT(placed->unscaled_features, ElementsAre("num_layers"));
}

TEST_F(Placing, RefusesOrImputesOnBothSides) {
  const auto lacking = Model("x", {{"num_layers", 10}});
  EXPECT_THAT(PlaceInPopulation(lacking, population_, MissingFeature::kRefuse).error().problem,
              HasSubstr("model \"x\" has no feature global_mean"));
  EXPECT_THAT(PlaceInPopulation(lacking, population_, MissingFeature::kImpute)->point,
              ElementsAre(0, 0));

  const auto extra = Model("y", {{"global_mean", 1}, {"num_layers", 10}, {"norm_std", 1}});
  EXPECT_THAT(PlaceInPopulation(extra, population_, MissingFeature::kRefuse).error().problem,
              HasSubstr("model \"a\" has no feature norm_std"));
  const auto placed = PlaceInPopulation(extra, population_, MissingFeature::kImpute);
  ASSERT_TRUE(placed);
  EXPECT_THAT(placed->left_out_features, ElementsAre("norm_std"));
}

TEST_F(Placing, RefusesAValueBeyondAllDistance) {
  const auto far = Model("x", {{"global_mean", 1e200}, {"num_layers", 10}});
  EXPECT_THAT(PlaceInPopulation(far, population_, MissingFeature::kRefuse).error().problem,
              HasSubstr("global_mean are too far apart"));
}

}  // namespace
}  // namespace tensorguard::internal
