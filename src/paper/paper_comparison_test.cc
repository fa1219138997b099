#include "paper/paper_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

PaperFeatures Model(std::string name, double mean, double norm) {
  return {.model_name = std::move(name),
          .values = {{"global_mean", mean}, {"global_norm", norm}, {"num_layers", 10}},
          .total_params = 1000};
}

TEST(PaperComparison, IdenticalMeansEveryFeatureAndTheParameterCount) {
  const PaperFeatures a = Model("a", 2e-6, 70);
  EXPECT_EQ(JudgePaperFeatures(a, Model("b", 2e-6 * (1 + 1e-10), 70)), PaperVerdict::kIdentical);
  EXPECT_EQ(JudgePaperFeatures(a, Model("b", 2e-6 * (1 + 1e-8), 70)), PaperVerdict::kInconclusive);
  PaperFeatures other = a;
  other.total_params = 1001;
  EXPECT_EQ(JudgePaperFeatures(a, other), PaperVerdict::kInconclusive);
  other = a;
  other.values.emplace("norm_std", 0);
  EXPECT_EQ(JudgePaperFeatures(a, other), PaperVerdict::kInconclusive);
  EXPECT_EQ(PaperVerdictName(PaperVerdict::kIdentical), "identical");
  EXPECT_EQ(PaperVerdictName(PaperVerdict::kInconclusive), "inconclusive");
}

TEST(PaperComparison, RelativeDifferencesStayBetweenZeroAndOne) {
  PaperFeatures a = Model("a", 1e-6, 1e308);
  PaperFeatures b = Model("b", -3e-6, 1e308);
  b.values.emplace("ffn_std", 2);
  a.values["num_layers"] = 0;
  b.values["num_layers"] = 0;
  const auto differences = RelativeDifferences(a, b);
  ASSERT_EQ(differences.size(), 4u);
  EXPECT_EQ(differences[0].feature_name, "global_mean");
  EXPECT_DOUBLE_EQ(differences[0].relative, 1);
  EXPECT_FALSE(differences[0].shape_only);
  EXPECT_EQ(differences[1].relative, 0);
  EXPECT_TRUE(differences[1].shape_only);
  EXPECT_EQ(differences[2].feature_name, "ffn_std");
  EXPECT_FALSE(differences[2].a);
  EXPECT_EQ(differences[2].relative, 1);
  EXPECT_EQ(differences[3].relative, 0) << "both 0";
}

TEST(PaperComparison, DistanceIsInUnitsOfThePopulation) {
  const PaperFeatures population[] = {Model("p", 0, 10), Model("q", 2, 30)};
  const auto matrix = BuildFeatureMatrix(population, MissingFeature::kRefuse);
  ASSERT_TRUE(matrix);
  const auto comparison = ComparePaperFeatures(Model("a", 1, 10), Model("b", 4, 50), &*matrix);
  ASSERT_TRUE(comparison) << DescribeError(comparison.error());
  EXPECT_DOUBLE_EQ(*comparison->distance, 5);  // 3 and 4 deviations
  EXPECT_DOUBLE_EQ(comparison->score, 1.0 / 6);
  EXPECT_EQ(comparison->verdict, PaperVerdict::kInconclusive);
  EXPECT_THAT(comparison->notes, Contains(HasSubstr("in standard deviations of the known models")));
  EXPECT_THAT(comparison->notes, Contains(HasSubstr("neither that one model is derived")));

  const auto one = BuildFeatureMatrix(std::span(population).first(1), MissingFeature::kRefuse);
  const auto refused = ComparePaperFeatures(population[0], population[1], &*one);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().problem, HasSubstr("a population of one model has no spread"));
}

TEST(PaperComparison, WithoutAPopulationItSaysSo) {
  const auto comparison = ComparePaperFeatures(Model("a", 1, 10), Model("b", 3, 10));
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->distance);
  EXPECT_DOUBLE_EQ(comparison->score, 1 - 0.5 / 3);
  EXPECT_TRUE(comparison->same_shapes);
  EXPECT_THAT(comparison->notes, Contains(HasSubstr("no population given")));
  EXPECT_THAT(comparison->notes, Contains(HasSubstr("independent models of one architecture")));
}

TEST(PaperComparison, IndependentModelsOfOneShapeAreNotTakenForRelatives) {
  const auto folder = SharedData("reference/golden");
  SKIP_WITHOUT(folder);
  const auto read = [&](std::string_view name) {
    return *ReadPaperFeatures(folder / (std::string(name) + "_features.json"));
  };
  // alder and birch were trained from different seeds; elm has other shapes.
  const auto independent = ComparePaperFeatures(read("alder"), read("birch"));
  ASSERT_TRUE(independent);
  EXPECT_TRUE(independent->same_shapes);
  EXPECT_EQ(independent->verdict, PaperVerdict::kInconclusive);
  const auto tuned = ComparePaperFeatures(read("alder"), read("alder--sft1"));
  ASSERT_TRUE(tuned);
  EXPECT_EQ(tuned->verdict, PaperVerdict::kInconclusive);
  EXPECT_FALSE(ComparePaperFeatures(read("alder"), read("elm"))->same_shapes);
}

}  // namespace
}  // namespace tensorguard::internal
