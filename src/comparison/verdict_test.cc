#include "comparison/verdict.h"

#include <gtest/gtest.h>

namespace tensorguard {
namespace {

TEST(ScoreOf, IsTheEnergyThatEitherExplains) {
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.6, .sketch_cosine = 0.8}), 1 - 0.64 * 0.36, 1e-12);
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.6}), 0.36, 1e-12);
  EXPECT_NEAR(*ScoreOf({.kernel_score = 0.6, .sketch_cosine = -0.2}), 0.36, 1e-12);
  EXPECT_EQ(ScoreOf({.equal = true}), 1.0);
}

TEST(ScoreOf, IsEmptyWhereNothingWasMeasured) {
  EXPECT_EQ(ScoreOf({}), std::nullopt);
  EXPECT_EQ(ScoreOf({.sketch_cosine = 0.03, .sketch_p_value = 0.2}), std::nullopt);
  EXPECT_NEAR(*ScoreOf({.sketch_cosine = 0.8, .sketch_p_value = 0, .outstanding_share = 1}), 0.64,
              1e-12);
}

struct JudgedCase {
  const char* name;
  Evidence evidence;
  Verdict verdict;
};

class JudgeEvidenceTest : public ::testing::TestWithParam<JudgedCase> {};

TEST_P(JudgeEvidenceTest, Judges) {
  EXPECT_EQ(JudgeEvidence(GetParam().evidence), GetParam().verdict);
}

constexpr double kCertain = 1e-30;

INSTANTIATE_TEST_SUITE_P(
    Cases, JudgeEvidenceTest,
    ::testing::Values(
        JudgedCase{"equal", {.equal = true}, Verdict::kIdentical},
        JudgedCase{"nothing", {}, Verdict::kInconclusive},
        JudgedCase{"fine_tune",
                   {.kernel_score = 0.95,
                    .sketch_cosine = 0.99,
                    .sketch_p_value = kCertain,
                    .outstanding_share = 1},
                   Verdict::kDerived},
        JudgedCase{"long_training",
                   {.kernel_score = 0.3,
                    .sketch_cosine = 0.6,
                    .sketch_p_value = kCertain,
                    .outstanding_share = 1},
                   Verdict::kDerived},
        JudgedCase{"shared_start",
                   {.kernel_score = 0.05,
                    .sketch_cosine = 0.2,
                    .sketch_p_value = kCertain,
                    .outstanding_share = 0.8},
                   Verdict::kSharedInitialisation},
        JudgedCase{"half_of_the_layers_copied",
                   {.kernel_score = 0.05,
                    .sketch_cosine = 0.5,
                    .sketch_p_value = kCertain,
                    .outstanding_share = 0.5,
                    .copied_share = 0.5},
                   Verdict::kDerived},
        JudgedCase{"one_part_copied",
                   {.kernel_score = 0.1,
                    .sketch_cosine = 0.1,
                    .sketch_p_value = kCertain,
                    .outstanding_share = 0.1},
                   Verdict::kIndependent},
        JudgedCase{"student",
                   {.kernel_score = 0.58, .sketch_cosine = 0.0, .sketch_p_value = 0.4},
                   Verdict::kIndependent},
        JudgedCase{"between",
                   {.kernel_score = 0.68, .sketch_cosine = 0.0, .sketch_p_value = 0.4},
                   Verdict::kInconclusive},
        JudgedCase{"rotated",
                   {.kernel_score = 0.9,
                    .sketch_cosine = 0.0,
                    .sketch_p_value = 0.4,
                    .basis_changed = true},
                   Verdict::kReparameterised},
        JudgedCase{"other_width", {.kernel_score = 0.8}, Verdict::kDerived},
        JudgedCase{"other_width_apart", {.kernel_score = 0.1}, Verdict::kIndependent},
        JudgedCase{"no_anchors_same_weights",
                   {.sketch_cosine = 0.9, .sketch_p_value = kCertain, .outstanding_share = 1},
                   Verdict::kDerived},
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
}  // namespace tensorguard
