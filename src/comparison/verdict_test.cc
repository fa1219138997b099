#include "comparison/verdict.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

constexpr double kCertain = 1e-30;

TEST(ScoreOf, IsTheEnergyThatEitherExplains) {
  const Evidence weights = {.sketch_cosine = 0.8, .sketch_p_value = kCertain, .common_share = 1};
  EXPECT_NEAR(*ScoreOf(weights), 0.64, 1e-12);
  Evidence both = weights;
  both.kernel_score = 0.6;
  EXPECT_NEAR(*ScoreOf(both), 1 - 0.64 * 0.36, 1e-12);
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.6}), 0.36, 1e-12);
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.6, .sketch_cosine = -0.2}), 0.36, 1e-12);
  EXPECT_EQ(ScoreOf({.equal = true}), 1.0);
}

TEST(ScoreOf, IsEmptyWhereNothingWasMeasured) {
  EXPECT_EQ(ScoreOf({}), std::nullopt);
  EXPECT_EQ(ScoreOf({.sketch_cosine = 0.03, .sketch_p_value = 0.2}), std::nullopt);
}

TEST(ScoreOf, CountsNothingThatChanceExplains) {
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.1, .sketch_cosine = 0.75, .sketch_p_value = 0.5}), 0.01,
              1e-12);
}

TEST(ScoreOf, CountsAnswersOnlyAsFarAsFormsConfirmThem) {
  EXPECT_GT(*ScoreOf({.kernel_score = 0.8, .frame_score = 0.9, .weaker_half = 0.9}), 0.6);
  EXPECT_LT(*ScoreOf({.kernel_score = 0.8, .frame_score = 0.1}), 0.1);
  EXPECT_GT(*ScoreOf({.kernel_score = 0.1,
                      .frame_score = 0.36,
                      .frame_p_value = kCertain,
                      .weaker_half = 0.5}),
            0.54);
  EXPECT_LT(*ScoreOf({.kernel_score = 0.1, .frame_score = 0.17}), 0.05);
}

struct JudgedCase {
  const char* name;
  Evidence evidence;
  Verdict verdict;
  bool in_part = false;
};

class JudgeEvidenceTest : public ::testing::TestWithParam<JudgedCase> {};

TEST_P(JudgeEvidenceTest, Judges) {
  const Judgement judgement = JudgeEvidence(GetParam().evidence);
  EXPECT_EQ(judgement.verdict, GetParam().verdict) << judgement.why;
  EXPECT_EQ(judgement.in_part, GetParam().in_part);
}

// Of a model whose every matrix agrees with the other's to `cosine`.
Evidence Common(double cosine) {
  return {.kernel_score = 0.9,
          .sketch_cosine = cosine,
          .sketch_p_value = kCertain,
          .outstanding_share = 1,
          .common_share = 1,
          .common_cosine = cosine,
          .traced_share = 1,
          .whole_share = 1,
          .frame_score = 0.9,
          .frame_p_value = kCertain,
          .weaker_half = 0.9};
}

template <typename Change>
Evidence With(Evidence evidence, Change change) {
  change(evidence);
  return evidence;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, JudgeEvidenceTest,
    ::testing::Values(
        JudgedCase{"equal", {.equal = true}, Verdict::kIdentical},
        JudgedCase{"nothing", {}, Verdict::kInconclusive},
        JudgedCase{"fine_tune", Common(0.99), Verdict::kDerived},
        JudgedCase{"long_training", With(Common(0.6), [](Evidence& e) { e.kernel_score = 0.3; }),
                   Verdict::kDerived},
        JudgedCase{"scales_moved", With(Common(0.9), [](Evidence& e) { e.basis_changed = true; }),
                   Verdict::kReparameterised},
        JudgedCase{"shared_start",
                   With(Common(0.2),
                        [](Evidence& e) {
                          e.kernel_score = 0.05;
                          e.frame_score = 0.07;
                        }),
                   Verdict::kSharedInitialisation},
        JudgedCase{"mixed_with_a_stranger",
                   With(Common(0.45),
                        [](Evidence& e) {
                          e.kernel_score = 0.1;
                          e.frame_score = 0.3;
                        }),
                   Verdict::kDerived},
        JudgedCase{"half_of_the_layers_copied",
                   With(Common(1),
                        [](Evidence& e) {
                          e.kernel_score = 0.05;
                          e.frame_score = 0.1;
                          e.same_share = 0.5;
                          e.common_share = 0.5;
                          e.traced_share = 0.5;
                          e.whole_share = 0.5;
                        }),
                   Verdict::kDerived, true},
        JudgedCase{"copied_layers_that_write_nothing",
                   With(Common(1),
                        [](Evidence& e) {
                          e.same_share = 0.3;
                          e.common_share = 0.3;
                          e.traced_share = 0.3;
                          e.written_share = 0.001;
                        }),
                   Verdict::kIndependent},
        JudgedCase{"shared_encoder",
                   With(Common(1),
                        [](Evidence& e) {
                          e.same_share = 0.5;
                          e.component_alone = true;
                        }),
                   Verdict::kIndependent},
        JudgedCase{"forged_sketches",
                   With(Common(1),
                        [](Evidence& e) {
                          e.kernel_score = 0.02;
                          e.frame_score = 0.08;
                        }),
                   Verdict::kInconclusive},
        JudgedCase{"common_structure",
                   {.kernel_score = 0.05,
                    .sketch_cosine = 0.6,
                    .sketch_p_value = 0.5,
                    .frame_score = 0.05},
                   Verdict::kIndependent},
        JudgedCase{"student", {.kernel_score = 0.58, .frame_score = 0.1}, Verdict::kIndependent},
        JudgedCase{
            "good_student", {.kernel_score = 0.8, .frame_score = 0.1}, Verdict::kInconclusive},
        JudgedCase{"rotated",
                   {.kernel_score = 0.9,
                    .traced_share = 1,
                    .whole_share = 1,
                    .frame_score = 0.9,
                    .frame_p_value = kCertain,
                    .weaker_half = 0.9},
                   Verdict::kReparameterised},
        JudgedCase{"kernels_spoiled",
                   {.kernel_score = 0.02,
                    .anchors_agree = false,
                    .traced_share = 1,
                    .whole_share = 1,
                    .frame_score = 0.8,
                    .frame_p_value = kCertain,
                    .weaker_half = 0.7},
                   Verdict::kReparameterised},
        JudgedCase{"trained_long_in_another_basis",
                   {.kernel_score = 0.1,
                    .traced_share = 1,
                    .whole_share = 1,
                    .frame_score = 0.3,
                    .frame_p_value = 0.2,
                    .weaker_half = 0.3,
                    .unit_score = 0.6,
                    .unit_best = 0.7},
                   Verdict::kReparameterised},
        JudgedCase{"half_of_the_layers_in_another_basis",
                   {.kernel_score = 0.1,
                    .traced_share = 0.4,
                    .whole_share = 0.4,
                    .frame_score = 0.1,
                    .unit_score = 0.2,
                    .unit_best = 0.5},
                   Verdict::kReparameterised,
                   true},
        JudgedCase{"units_that_write_nothing",
                   {.kernel_score = 0.1,
                    .traced_share = 0.5,
                    .written_share = 0.001,
                    .frame_score = 0.1,
                    .unit_score = 0.5,
                    .unit_best = 0.9},
                   Verdict::kIndependent},
        JudgedCase{"units_a_little_alike",
                   {.kernel_score = 0.1,
                    .frame_score = 0.05,
                    .unit_score = 0.15,
                    .unit_best = 0.25,
                    .unit_excess = 0.05},
                   Verdict::kInconclusive},
        JudgedCase{"units_of_all_layers_alike",
                   {.kernel_score = 0.1,
                    .traced_share = 1,
                    .whole_share = 1,
                    .frame_score = 0.16,
                    .unit_score = 0.18,
                    .unit_best = 0.23,
                    .unit_excess = 0.14},
                   Verdict::kReparameterised},
        JudgedCase{"units_of_a_student",
                   {.kernel_score = 0.5,
                    .frame_score = 0.16,
                    .unit_score = 0.15,
                    .unit_best = 0.21,
                    .unit_excess = 0.08},
                   Verdict::kIndependent},
        JudgedCase{"forged_sketches_have_other_units",
                   With(Common(1),
                        [](Evidence& e) {
                          e.kernel_score = 0.02;
                          e.frame_score = 0.08;
                          e.unit_score = 0.02;
                          e.unit_best = 0.05;
                        }),
                   Verdict::kInconclusive},
        JudgedCase{"sketches_that_units_confirm",
                   With(Common(0.5),
                        [](Evidence& e) {
                          e.kernel_score = 0.02;
                          e.frame_score = 0.08;
                          e.unit_score = 0.4;
                          e.unit_best = 0.5;
                        }),
                   Verdict::kDerived},
        JudgedCase{"attention_learned",
                   {.kernel_score = 0.5,
                    .frame_score = 0.45,
                    .frame_p_value = kCertain,
                    .weaker_half = 0.31},
                   Verdict::kInconclusive},
        JudgedCase{"half_hidden",
                   {.kernel_score = 0.02, .frame_score = 0.28, .frame_p_value = kCertain},
                   Verdict::kInconclusive},
        JudgedCase{"anchors_and_forms_spoiled",
                   {.kernel_score = 0.02, .anchors_agree = false, .frame_score = 0.15},
                   Verdict::kInconclusive},
        JudgedCase{"no_tokens_no_forms",
                   {.kernel_score = 0.02, .anchors_agree = false},
                   Verdict::kInconclusive},
        JudgedCase{"no_tokens_and_strangers",
                   {.anchors_agree = false, .frame_score = 0.03},
                   Verdict::kIndependent},
        JudgedCase{"parts_that_do_nothing",
                   {.kernel_score = 0.02, .frame_score = 0.03, .idle_parts = true},
                   Verdict::kInconclusive},
        JudgedCase{"roles_unknown",
                   {.kernel_score = 0.02, .frame_score = 0.03, .all_read = false},
                   Verdict::kInconclusive},
        JudgedCase{"answers_of_many_layers",
                   {.kernel_score = 0.85,
                    .kernel_z = 12,
                    .kernel_layers = 12,
                    .traced_share = 1,
                    .whole_share = 1},
                   Verdict::kReparameterised},
        JudgedCase{"answers_of_few_layers",
                   {.kernel_score = 0.85, .kernel_z = 3, .kernel_layers = 2},
                   Verdict::kInconclusive},
        JudgedCase{
            "other_width_apart", {.kernel_score = 0.1, .frame_score = 0.05}, Verdict::kIndependent},
        JudgedCase{"no_anchors_other_weights",
                   {.sketch_cosine = 0.0, .sketch_p_value = 0.5},
                   Verdict::kInconclusive}),
    [](const auto& test) { return test.param.name; });

TEST(VerdictName, IsThatOfTheCommandLine) {
  EXPECT_EQ(VerdictName(Verdict::kIdentical), "identical");
  EXPECT_EQ(VerdictName(Verdict::kDerived), "derived");
  EXPECT_EQ(VerdictName(Verdict::kReparameterised), "reparameterised");
  EXPECT_EQ(VerdictName(Verdict::kSharedInitialisation), "shared-initialisation");
  EXPECT_EQ(VerdictName(Verdict::kIndependent), "independent");
  EXPECT_EQ(VerdictName(Verdict::kInconclusive), "inconclusive");
}

}  // namespace
}  // namespace tensorguard::internal
