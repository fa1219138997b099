#include "independence/deep_verdict.h"

#include <fmt/format.h>

#include <utility>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// From this mean contrast (or share of matched units) on the one was made from the other: 0.92 and
// more after long training, 0.39 in a model that a stranger was mixed with 7 to 3; trainings from
// one start leave 0.24 and less.
constexpr double kStrongShare = 0.36;

bool IsOrigin(Verdict verdict) {
  return verdict == Verdict::kDerived || verdict == Verdict::kReparameterised ||
         verdict == Verdict::kSharedInitialisation;
}

bool FunctionsAlike(const Comparison& comparison) {
  return comparison.kernels && comparison.kernels->score >= kIndependentScore;
}

// The weights as stored speak for an origin: as a whole, in copied matrices, or a little in most.
// The last an order of units can make.
bool WeightsSpeak(const Comparison& comparison, const TestFinding& finding,
                  const DeepEvidence& evidence) {
  if (evidence.weights_agree || evidence.numbers_agree) return true;
  const SketchComparison& sketches = comparison.sketches;
  if (sketches.parts == 0 || evidence.sketches_forged) return false;
  if (sketches.cosine >= kBasisLostCosine || sketches.copied_share > 0) return true;
  const bool by_order = finding.ordered && !finding.SameBasis();
  return !by_order && sketches.p_value < kSharedStartP &&
         sketches.outstanding_share >= kSharedStartMatrices;
}

DeepVerdict Copies(const TestFinding& finding, const DeepEvidence& evidence) {
  const std::string counted =
      fmt::format("{} of {} compared layers are the other model's, {} share nothing with it",
                  finding.strong_layers, finding.compared_layers, finding.silent_layers);
  if (evidence.copies_inert) {
    return {.verdict = Verdict::kIndependent,
            .notes = {counted + ", and the copied ones write nothing that matters: copied parts "
                                "without function do not make a model a derived one."}};
  }
  return {.verdict = Verdict::kDerived,
          .in_part = true,
          .notes = {counted + ": parts were copied; the rest is of another origin."}};
}

DeepVerdict StartOrMore(const Comparison& comparison, const TestFinding& finding) {
  if (!finding.same_shape) {
    return {
        .verdict = Verdict::kDerived,
        .notes = {"Both hold the same weights in the same basis, in different shapes: no common "
                  "start, one was made from the other."}};
  }
  // In the same coordinates matched units stand for the contrasts where their order was changed.
  const double share = finding.same_positions ? finding.contrast : finding.share_same_basis;
  if (share >= kStrongShare) {
    return {.verdict = Verdict::kDerived,
            .notes = {fmt::format("Weights agree in the same basis by {:.2f} of what they could: "
                                  "more than two trainings from one start leave.",
                                  share)}};
  }
  if (FunctionsAlike(comparison)) {
    return {.verdict = Verdict::kDerived,
            .notes = {"The weights have a common origin in the same basis, and the layers answer "
                      "more alike than those of independent models."}};
  }
  return {.verdict = Verdict::kSharedInitialisation,
          .notes = {fmt::format("All layers share a little ({:.2f} of what they could) in the same "
                                "basis, and answer as independently trained ones do.",
                                share)}};
}

DeepVerdict JudgeSameBasis(const Comparison& comparison, const TestFinding& finding,
                           const DeepEvidence& evidence) {
  if (finding.InTwoModes() || evidence.copies_inert) return Copies(finding, evidence);
  const DeepVerdict from_test = StartOrMore(comparison, finding);
  const bool told_apart =
      comparison.verdict == Verdict::kDerived || comparison.verdict == Verdict::kReparameterised;
  if (told_apart) return {.verdict = comparison.verdict};
  return from_test;
}

DeepVerdict JudgeOtherBasis(const Comparison& comparison, const TestFinding& finding,
                            const DeepEvidence& evidence) {
  if (evidence.copies_inert) return Copies(finding, evidence);
  const bool as_stored =
      comparison.verdict == Verdict::kDerived && WeightsSpeak(comparison, finding, evidence);
  if (as_stored || comparison.verdict == Verdict::kReparameterised) {
    return {.verdict = comparison.verdict};
  }
  return {.verdict = Verdict::kReparameterised,
          .in_part = finding.InTwoModes(),
          .notes = {fmt::format("{:.0f}% of the units that were matched are the other model's, in "
                                "another basis only: one is a rewritten copy of the other.",
                                100 * finding.share_other_basis)}};
}

DeepVerdict JudgeSilence(const Comparison& comparison, const TestFinding& finding,
                         const DeepEvidence& evidence) {
  DeepVerdict judged{.verdict = comparison.verdict};
  if (comparison.verdict == Verdict::kInconclusive && finding.asked_in_full && !finding.ordered &&
      (comparison.kernels || comparison.frame)) {
    judged.verdict = Verdict::kIndependent;
    judged.notes.push_back(
        "The test settles what the fingerprints leave open: no part of the weights, in any basis, "
        "comes from the other model.");
  }
  if (comparison.verdict == Verdict::kInconclusive && evidence.sketches_forged) {
    judged.verdict = Verdict::kIndependent;
    judged.notes.push_back(
        "The sketches of the weights are alike, the weights are not: the likeness was made.");
  }
  if (!IsOrigin(comparison.verdict)) return judged;
  if (WeightsSpeak(comparison, finding, evidence)) {
    judged.notes.push_back(
        "The test finds no common origin by itself; the verdict rests on the fingerprints.");
    return judged;
  }
  if (evidence.sketches_forged) {
    judged.notes.push_back(
        "The sketches of the weights are alike, the weights are not: the likeness was made.");
  }
  if (comparison.verdict == Verdict::kSharedInitialisation) {
    const bool nothing = finding.asked_in_full && !finding.ordered;
    judged.verdict = nothing ? Verdict::kIndependent : Verdict::kInconclusive;
    judged.notes.push_back(
        nothing ? "The little that is alike in the weights as stored is no common start."
                : "The little that is alike in the weights as stored may be a common start: the "
                  "test does not confirm it.");
    return judged;
  }
  if (finding.asked_in_full) {
    judged.verdict = Verdict::kIndependent;
    judged.notes.push_back(
        "The layers answer alike, but no part of the weights, in any basis, comes from the other "
        "model: it was trained on the other's answers, or its answers were forged.");
    return judged;
  }
  judged.verdict = Verdict::kInconclusive;
  judged.notes.push_back(
      "The layers answer alike, and what could be looked at of the weights shows no common origin; "
      "not every way to rewrite a copy could be looked into.");
  return judged;
}

DeepVerdict JudgeFinding(const Comparison& comparison, const TestFinding& finding,
                         const DeepEvidence& evidence) {
  if (finding.SameBasis()) return JudgeSameBasis(comparison, finding, evidence);
  if (finding.matched_other_basis) return JudgeOtherBasis(comparison, finding, evidence);
  DeepVerdict judged = JudgeSilence(comparison, finding, evidence);
  if (finding.ordered) {
    judged.notes.push_back(
        "The units stand in the order of the other model's, no more alike than an order chosen for "
        "that makes them: by itself that says nothing about their origin.");
  }
  return judged;
}

}  // namespace

DeepVerdict JudgeWithTest(const Comparison& comparison, const DeepTest& test,
                          const DeepEvidence& evidence) {
  if (comparison.verdict == Verdict::kIdentical) return {.verdict = Verdict::kIdentical};
  if (evidence.numbers && evidence.numbers->different.empty()) {
    return {.verdict = Verdict::kIdentical, .notes = {DescribeNumbers(*evidence.numbers)}};
  }
  const TestFinding finding = FindingOf(test);
  DeepVerdict judged =
      finding.asked
          ? JudgeFinding(comparison, finding, evidence)
          : DeepVerdict{
                .verdict = comparison.verdict,
                .notes = {"The test could not be asked: the verdict rests on the fingerprints."}};
  if (!IsOrigin(comparison.verdict) && IsOrigin(judged.verdict)) {
    judged.notes.push_back(
        "The shares and the map of parts are what the fingerprints show; the test on the weights "
        "found an origin that they do not.");
  }
  if (evidence.numbers) judged.notes.push_back(DescribeNumbers(*evidence.numbers));
  return judged;
}

}  // namespace tensorguard::internal
