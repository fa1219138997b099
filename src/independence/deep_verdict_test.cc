#include "independence/deep_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "independence/combined_parts.h"

namespace tensorguard::internal {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::array kOrigins = {Verdict::kDerived, Verdict::kReparameterised,
                                 Verdict::kSharedInitialisation};

Comparison Fingerprints(Verdict verdict, double kernels, double sketches) {
  Comparison comparison;
  comparison.verdict = verdict;
  comparison.kernels.emplace(
      KernelEvidence{.score = kernels, .similarity = LayerSimilarity({}, {}, {}), .alignment = {}});
  comparison.sketches.parts = 10;
  comparison.sketches.cosine = sketches;
  return comparison;
}

// A test of which every part was asked and found nothing, in networks of one shape.
class TestResult {
 public:
  TestResult() {
    test_.same_shape = true;
    for (const std::string_view name : kPartNames) {
      test_.parts.push_back(NewPart(name));
      test_.parts.back().log10_p = 0.0;
    }
  }

  TestResult& Found(std::string_view name, std::vector<double> of_layers) {
    DeepTestPart& part = Part(name);
    part.log10_p = -200.0;
    for (size_t i = 0; i < of_layers.size(); ++i) {
      part.layers.push_back({.layer_a = i,
                             .layer_b = i,
                             .units = 100,
                             .effect = of_layers[i],
                             .contrast = of_layers[i]});
    }
    return *this;
  }

  TestResult& WithOrder(double in_place, double elsewhere) {
    Part(kSamePositions).order =
        OrderCheck{.units = 500, .in_place = in_place, .elsewhere = elsewhere};
    return *this;
  }

  TestResult& WithoutPart(std::string_view name) {
    Part(name).log10_p.reset();
    return *this;
  }

  TestResult& OfOtherShapes() {
    test_.same_shape = false;
    return *this;
  }

  DeepTest Get() const {
    DeepTest test = test_;
    test.log10_p = CombinedLog10P(test.parts);
    return test;
  }

 private:
  DeepTestPart& Part(std::string_view name) {
    return *std::find_if(test_.parts.begin(), test_.parts.end(),
                         [&](const DeepTestPart& part) { return part.name == name; });
  }

  DeepTest test_ = {};
};

TEST(JudgeWithTest, IdenticalStays) {
  const Comparison same = Fingerprints(Verdict::kIdentical, 1, 1);
  EXPECT_EQ(JudgeWithTest(same, TestResult().Get()).verdict, Verdict::kIdentical);
}

TEST(JudgeWithTest, EveryNumberTheSameIsIdentical) {
  NumberAgreement numbers{.weights = 3, .numbers = 1000};
  for (const uint64_t rounded : {0, 400}) {
    numbers.rounded = rounded;
    const DeepVerdict judged = JudgeWithTest(Fingerprints(Verdict::kDerived, 1, 1),
                                             TestResult().Get(), {.numbers = numbers});
    EXPECT_EQ(judged.verdict, Verdict::kIdentical);
    EXPECT_THAT(judged.notes, Contains(HasSubstr("Number for number")));
  }
}

TEST(JudgeWithTest, OneOtherNumberIsNot) {
  NumberAgreement numbers{.weights = 3, .numbers = 1000, .rounded = 400};
  numbers.different.push_back({.tensor_a = "up", .tensor_b = "up", .numbers = 99, .different = 1});
  const DeepTest same = TestResult().Found(kMatchedCoordinates, {1.0, 1.0}).Get();
  const DeepVerdict judged =
      JudgeWithTest(Fingerprints(Verdict::kDerived, 1, 1), same, {.numbers = numbers});
  EXPECT_EQ(judged.verdict, Verdict::kDerived);
  EXPECT_THAT(judged.notes, Contains(HasSubstr("1 of 1000 differ by more than rounding")));
}

TEST(JudgeWithTest, WithoutATestTheFingerprintsDecide) {
  const DeepVerdict judged = JudgeWithTest(Fingerprints(Verdict::kDerived, 0.9, 0.1), DeepTest{});
  EXPECT_EQ(judged.verdict, Verdict::kDerived);
  EXPECT_EQ(judged.notes.size(), 1u);
}

TEST(JudgeWithTest, TheOrderOfUnitsAloneIsNoOrigin) {
  const DeepTest forged =
      TestResult().Found(kSamePositions, {0.05, 0.05, 0.05}).WithOrder(0.07, 0.5).Get();
  EXPECT_GE(*forged.log10_p, -3.0);
  const DeepVerdict judged = JudgeWithTest(Fingerprints(Verdict::kIndependent, 0.1, 0), forged);
  EXPECT_EQ(judged.verdict, Verdict::kIndependent);
  EXPECT_THAT(judged.notes, Contains(HasSubstr("order")));
  EXPECT_EQ(JudgeWithTest(Fingerprints(Verdict::kDerived, 0.9, 0), forged).verdict,
            Verdict::kIndependent);
}

TEST(JudgeWithTest, ALittleInAllLayersIsASharedStart) {
  const DeepTest start =
      TestResult().Found(kSamePositions, {0.3, 0.25, 0.2}).WithOrder(0.9, 0.5).Get();
  EXPECT_EQ(*start.log10_p, -200.0 - std::log10(kShareOfSamePositions));
  for (const Verdict verdict : {Verdict::kIndependent, Verdict::kInconclusive}) {
    EXPECT_EQ(JudgeWithTest(Fingerprints(verdict, 0.1, 0.2), start).verdict,
              Verdict::kSharedInitialisation);
  }
  EXPECT_EQ(JudgeWithTest(Fingerprints(Verdict::kInconclusive, 0.5, 0.2), start).verdict,
            Verdict::kDerived)
      << "the functions are alike";
}

TEST(JudgeWithTest, MuchInAllLayersIsDerived) {
  const DeepTest trained =
      TestResult().Found(kSamePositions, {0.9, 0.85, 0.9}).WithOrder(2.7, 0.5).Get();
  EXPECT_EQ(JudgeWithTest(Fingerprints(Verdict::kIndependent, 0.1, 0.1), trained).verdict,
            Verdict::kDerived);
}

TEST(JudgeWithTest, OtherShapesExcludeASharedStart) {
  const DeepTest pruned = TestResult().Found(kMatchedCoordinates, {0.4, 0.4}).OfOtherShapes().Get();
  EXPECT_EQ(JudgeWithTest(Fingerprints(Verdict::kIndependent, 0.1, 0.1), pruned).verdict,
            Verdict::kDerived);
}

TEST(JudgeWithTest, AnotherBasisIsARewrittenCopyAndNoStart) {
  for (const std::string_view name : {kMatchedByTokens, kMatchedByUnits}) {
    const DeepTest rewritten = TestResult().Found(name, {0.95, 0.9}).Get();
    for (const Verdict verdict : {Verdict::kIndependent, Verdict::kInconclusive,
                                  Verdict::kSharedInitialisation, Verdict::kDerived}) {
      EXPECT_EQ(JudgeWithTest(Fingerprints(verdict, 0.1, 0.05), rewritten).verdict,
                Verdict::kReparameterised);
    }
    EXPECT_EQ(JudgeWithTest(Fingerprints(Verdict::kDerived, 0.9, 0.8), rewritten).verdict,
              Verdict::kDerived)
        << "the weights as stored agree as well";
  }
}

TEST(JudgeWithTest, WholeLayersBesideForeignOnesAreDerivedInPart) {
  const DeepTest copied = TestResult()
                              .Found(kSamePositions, {1.0, 1.0, 0.0, 0.01})
                              .Found(kMatchedCoordinates, {1.0, 1.0, 0.0, 0.01})
                              .Get();
  const Comparison comparison = Fingerprints(Verdict::kIndependent, 0.1, 0.4);
  const DeepVerdict judged = JudgeWithTest(comparison, copied);
  EXPECT_EQ(judged.verdict, Verdict::kDerived);
  EXPECT_TRUE(judged.in_part);
  const DeepVerdict inert = JudgeWithTest(comparison, copied, {.copies_inert = true});
  EXPECT_EQ(inert.verdict, Verdict::kIndependent);
  EXPECT_THAT(inert.notes, Contains(HasSubstr("without function")));
}

TEST(JudgeWithTest, FunctionsAloneAccuseNobody) {
  for (const Verdict verdict : {Verdict::kDerived, Verdict::kReparameterised}) {
    const Comparison student = Fingerprints(verdict, 0.8, 0.02);
    const DeepVerdict judged = JudgeWithTest(student, TestResult().Get());
    EXPECT_EQ(judged.verdict, Verdict::kIndependent);
    EXPECT_EQ(judged.notes.size(), 1u);
    for (const std::string_view name : {kMatchedByTokens, kMatchedByUnits}) {
      EXPECT_EQ(JudgeWithTest(student, TestResult().WithoutPart(name).Get()).verdict,
                Verdict::kIndependent)
          << "one map is enough";
    }
    const DeepTest partial =
        TestResult().WithoutPart(kMatchedByTokens).WithoutPart(kMatchedByUnits).Get();
    EXPECT_EQ(JudgeWithTest(student, partial).verdict, Verdict::kInconclusive);
  }
}

TEST(JudgeWithTest, WhatTheWeightsShowStandsBesideASilentTest) {
  for (const Verdict verdict : kOrigins) {
    EXPECT_EQ(JudgeWithTest(Fingerprints(verdict, 0.1, 0.6), TestResult().Get()).verdict, verdict);
    EXPECT_EQ(
        JudgeWithTest(Fingerprints(verdict, 0.1, 0.0), TestResult().Get(), {.weights_agree = true})
            .verdict,
        verdict);
  }
}

// It may be one: an order that was chosen and a start that training left behind look alike.
TEST(JudgeWithTest, WhatAnOrderMakesOfSketchesLeavesASharedStartOpen) {
  Comparison comparison = Fingerprints(Verdict::kSharedInitialisation, 0.1, 0.1);
  comparison.sketches.p_value = 1e-20;
  comparison.sketches.outstanding_share = 0.5;
  const DeepTest forged =
      TestResult().Found(kSamePositions, {0.16, 0.15}).WithOrder(1.0, 1.0).Get();
  EXPECT_EQ(JudgeWithTest(comparison, forged).verdict, Verdict::kInconclusive);
  EXPECT_EQ(JudgeWithTest(comparison, TestResult().Get()).verdict, Verdict::kSharedInitialisation);
}

TEST(JudgeWithTest, ForgedSketchesAreNoEvidence) {
  const DeepVerdict judged = JudgeWithTest(Fingerprints(Verdict::kDerived, 0.1, 0.9),
                                           TestResult().Get(), {.sketches_forged = true});
  EXPECT_EQ(judged.verdict, Verdict::kIndependent);
  EXPECT_THAT(judged.notes, Contains(HasSubstr("likeness was made")));
}

TEST(JudgeWithTest, SilenceThatWasAskedInFullSettlesWhatIsOpen) {
  for (const Verdict verdict : {Verdict::kIndependent, Verdict::kInconclusive}) {
    EXPECT_EQ(JudgeWithTest(Fingerprints(verdict, 0.5, 0.0), TestResult().Get()).verdict,
              Verdict::kIndependent);
  }
  Comparison nothing_compared;
  nothing_compared.verdict = Verdict::kInconclusive;
  EXPECT_EQ(JudgeWithTest(nothing_compared, TestResult().Get()).verdict, Verdict::kInconclusive);
}

TEST(JudgeWithTest, CopiesThatWriteNothingAreNoDerivation) {
  const DeepTest found = TestResult().Found(kMatchedCoordinates, {1.0, 1.0}).Get();
  for (const Verdict verdict : {Verdict::kIndependent, Verdict::kDerived}) {
    EXPECT_EQ(JudgeWithTest(Fingerprints(verdict, 0.1, 0.9), found, {.copies_inert = true}).verdict,
              Verdict::kIndependent);
  }
}

TEST(JudgeWithTest, SaysWhereTheMapOfPartsShowsLessThanTheTest) {
  const auto found = TestResult().Found(kMatchedByTokens, {0.9, 0.9}).Get();
  const auto said = Contains(HasSubstr("are what the fingerprints show"));
  EXPECT_THAT(JudgeWithTest(Fingerprints(Verdict::kInconclusive, 0.7, 0), found).notes, said);
  EXPECT_THAT(JudgeWithTest(Fingerprints(Verdict::kReparameterised, 0.7, 0), found).notes,
              testing::Not(said));
}

}  // namespace
}  // namespace tensorguard::internal
