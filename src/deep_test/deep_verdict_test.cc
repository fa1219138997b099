#include "deep_test/deep_verdict.h"

#include <gtest/gtest.h>

namespace tensorguard {
namespace {

Verdict Judge(Verdict verdict, std::optional<double> score, std::optional<double> log10_p) {
  Comparison comparison;
  comparison.verdict = verdict;
  comparison.score = score;
  DeepTest test;
  test.log10_p = log10_p;
  return JudgeWithTest(comparison, test).verdict;
}

TEST(JudgeWithTest, ACommonOriginWithoutACommonFunctionIsASharedStart) {
  EXPECT_EQ(Judge(Verdict::kIndependent, 0.1, -50), Verdict::kSharedInitialisation);
  EXPECT_EQ(Judge(Verdict::kIndependent, 0.1, -3), Verdict::kIndependent);
  EXPECT_EQ(Judge(Verdict::kIndependent, 0.1, {}), Verdict::kIndependent);
}

TEST(JudgeWithTest, TheTestSettlesWhatIsOpen) {
  EXPECT_EQ(Judge(Verdict::kInconclusive, 0.45, -50), Verdict::kDerived);
  EXPECT_EQ(Judge(Verdict::kInconclusive, {}, -50), Verdict::kInconclusive);
  EXPECT_EQ(Judge(Verdict::kInconclusive, 0.45, -1), Verdict::kInconclusive);
}

TEST(JudgeWithTest, NothingIsTakenBack) {
  for (const Verdict verdict : {Verdict::kIdentical, Verdict::kDerived, Verdict::kReparameterised,
                                Verdict::kSharedInitialisation}) {
    EXPECT_EQ(Judge(verdict, 0.9, -0.1), verdict);
    EXPECT_EQ(Judge(verdict, 0.9, -200), verdict);
  }
}

}  // namespace
}  // namespace tensorguard
