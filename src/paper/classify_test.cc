#include "paper/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

PaperFeatures Model(std::string name, double mean, double norm) {
  return {.model_name = std::move(name),
          .values = {{"global_mean", mean}, {"global_norm", norm}, {"num_layers", 10}}};
}

// Two families around (0, 0) and (10, 0), in raw units.
std::vector<PaperFeatures> Known() {
  return {Model("left", 0, 1),   Model("left-a", 0.5, -1),   Model("left-b", -0.5, 0),
          Model("right", 10, 1), Model("right-a", 10.5, -1), Model("right-b", 9.5, 0)};
}

TEST(Classify, NamesTheNearestFamily) {
  const auto known = Known();
  const auto result = Classify(Model("x", 9, 0), known, {.center_names = {"left", "right"}});
  ASSERT_TRUE(result) << DescribeError(result.error());
  EXPECT_TRUE(result->known);
  ASSERT_EQ(result->candidates.size(), 2u);
  EXPECT_EQ(result->candidates[0].name, "right");
  EXPECT_GT(result->candidates[0].score, result->candidates[1].score);
  EXPECT_EQ(result->candidates[0].verdict, PaperVerdict::kInconclusive);
  EXPECT_EQ(result->nearest_base_distance, result->candidates[0].base_distance);
  EXPECT_THAT(result->notes, Contains(HasSubstr("does not show that the model is derived")));
}

TEST(Classify, WithoutCentresEveryKnownModelIsACandidate) {
  const auto known = Known();
  auto copy = known[4];
  copy.model_name = "x";
  const auto result = Classify(copy, known);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->candidates.size(), 6u);
  EXPECT_EQ(result->candidates[0].name, "right-a");
  EXPECT_EQ(result->candidates[0].base_distance, 0);
  EXPECT_EQ(result->candidates[0].score, 1);
  EXPECT_EQ(result->candidates[0].verdict, PaperVerdict::kIdentical);
  EXPECT_EQ(result->candidates[1].verdict, PaperVerdict::kInconclusive);
}

TEST(Classify, RejectsWhatIsFarFromEveryBaseModel) {
  const auto known = Known();
  const auto far = Classify(Model("x", 60, 0), known, {.center_names = {"left", "right"}});
  ASSERT_TRUE(far);
  EXPECT_FALSE(far->known);
  EXPECT_GT(far->nearest_base_distance, kRejectionDistance);
  EXPECT_THAT(far->notes, Contains(HasSubstr("away, farther than 7")));
  EXPECT_EQ(far->candidates[0].name, "right") << "the nearest one is still named";
  const auto tolerant = Classify(Model("x", 60, 0), known,
                                 {.center_names = {"left", "right"}, .rejection_distance = 20});
  EXPECT_TRUE(tolerant->known);
}

TEST(Classify, SaysWhatItFilledInAndWhatHasNoScale) {
  const auto known = Known();
  PaperFeatures odd = Model("x", 9, 0);
  odd.values.erase("global_norm");
  odd.values["num_layers"] = 8;
  odd.values["norm_mean"] = 1;
  const auto refused = Classify(odd, known);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().problem, HasSubstr("model \"x\" has no feature global_norm"));

  const auto result = Classify(odd, known, {.missing = MissingFeature::kImpute});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->imputed.size(), 1u);
  EXPECT_EQ(result->imputed[0].feature_name, "global_norm");
  EXPECT_THAT(result->notes, Contains(HasSubstr("one value of num_layers")));
  EXPECT_THAT(result->notes, Contains(HasSubstr("no known model has the feature norm_mean")));
}

TEST(Classify, NeedsTwoKnownModels) {
  const auto known = Known();
  const auto result = Classify(known[0], std::span(known).first(1));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(result.error().problem, HasSubstr("fewer than two known models"));
}

}  // namespace
}  // namespace tensorguard::internal
