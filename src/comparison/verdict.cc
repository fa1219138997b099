#include "comparison/verdict.h"

#include <algorithm>

#include "comparison/thresholds.h"

namespace tensorguard::internal {

bool FormsAgree(const Evidence& evidence) {
  if (!evidence.frame_score || evidence.weaker_half < kWeakerHalf) return false;
  return *evidence.frame_score >= kFrameAlikeAnyway ||
         (*evidence.frame_score >= kFrameAlike && evidence.frame_p_value <= kFrameP);
}

bool UnitsAgree(const Evidence& evidence) {
  if (!evidence.unit_score) return false;
  return evidence.unit_best >= kUnitsAlike ||
         (evidence.unit_best >= kUnitsAlikeAmongMany && evidence.unit_excess >= kUnitsBeyondOthers);
}

namespace {

double Unexplained(std::optional<double> cosine) {
  const double positive = std::clamp(cosine.value_or(0), 0.0, 1.0);
  return 1 - positive * positive;
}

// The weights agree beyond chance as they stand.
bool HasCommonWeights(const Evidence& evidence) {
  return evidence.same_share >= kInPart ||
         (evidence.sketch_cosine && evidence.sketch_p_value < kSharedStartP &&
          evidence.common_share >= kInPart);
}

// What was found does nothing for what the model computes.
bool IsInert(const Evidence& evidence) {
  return evidence.written_share && *evidence.written_share < kInert;
}

bool FormsAreSilent(const Evidence& evidence) {
  if (!evidence.frame_score || FormsAgree(evidence)) return false;
  return *evidence.frame_score < kFrameSilent ||
         (*evidence.frame_score < kFrameByChance && evidence.frame_p_value > kFrameChanceP);
}

// The cosine of forms on the scale of that of kernels, where 0.74 is the middle between copies and
// students: so that a score orders pairs of either evidence.
double FunctionOfForms(double forms) {
  if (forms <= kFrameEmpty) return 0;
  if (forms < kFrameAlike) {
    return kDerivedAnswers * (forms - kFrameEmpty) / (kFrameAlike - kFrameEmpty);
  }
  return kDerivedAnswers + (1 - kDerivedAnswers) * (forms - kFrameAlike) / (1 - kFrameAlike);
}

// The agreement of units on the same scale.
double FunctionOfUnits(double units) {
  if (units < kUnitsAlike) return kDerivedAnswers * units / kUnitsAlike;
  return kDerivedAnswers + (1 - kDerivedAnswers) * (units - kUnitsAlike) / (1 - kUnitsAlike);
}

double AnswersOf(const Evidence& evidence) {
  return std::clamp(evidence.kernel_score.value_or(0), 0.0, 1.0);
}

// Answers that no student of the other model was seen to reach, against the model's own null.
bool AnswersAloneSuffice(const Evidence& evidence) {
  if (evidence.quick) return AnswersOf(evidence) >= kDerivedAnswers;
  return !evidence.frame_score && evidence.kernel_layers >= kDeepForAnswers &&
         evidence.kernel_z >= kAnswersZ && AnswersOf(evidence) >= kDerivedAnswers;
}

Judgement Derived(const Evidence& evidence) {
  return {.verdict = evidence.basis_changed ? Verdict::kReparameterised : Verdict::kDerived,
          .in_part = evidence.whole_share < kWhole};
}

// Sketches can be forged; equal digests cannot, nor can forms or answers so cheaply.
bool IsConfirmed(const Evidence& evidence) {
  return evidence.same_share >= kInPart || !FormsAreSilent(evidence) || UnitsAgree(evidence) ||
         AnswersOf(evidence) >= kAnswersConfirm;
}

// What the layers compute alike, without regard to units.
double FunctionOfLayers(const Evidence& evidence) {
  const double answers = AnswersOf(evidence);
  if (!evidence.frame_score) return answers;
  const double forms = std::clamp(*evidence.frame_score, 0.0, 1.0);
  if (FormsAreSilent(evidence)) return answers * std::min(kSilentCredit, forms / kFrameAlike);
  if (IsInert(evidence) || evidence.component_alone) return answers * kSilentCredit;
  if (FormsAgree(evidence)) return std::max(FunctionOfForms(forms), answers);
  const double undecided = std::min(kLearnedAnswers, FunctionOfForms(evidence.weaker_half));
  return std::max(undecided, answers * kSilentCredit);
}

Judgement Inert() {
  return {.verdict = Verdict::kIndependent,
          .why =
              "Parts are the other model's, but they write next to nothing: they are no part of "
              "what this model computes."};
}

double FunctionOf(const Evidence& evidence) {
  const double layers = FunctionOfLayers(evidence);
  if (!UnitsAgree(evidence) || IsInert(evidence) || evidence.component_alone) return layers;
  return std::max(layers, FunctionOfUnits(*evidence.unit_score));
}

Judgement JudgeCommonWeights(const Evidence& evidence) {
  if (IsInert(evidence)) return Inert();
  if (evidence.component_alone) {
    return {.verdict = Verdict::kIndependent,
            .why = "They share a component; the rest of the one has nothing of the other."};
  }
  if (evidence.common_cosine >= kContinuedCosine || evidence.same_share >= kInPart) {
    if (IsConfirmed(evidence)) return Derived(evidence);
    return {.why =
                "The sketches of the weights agree, but neither the forms of the layers nor their "
                "answers do. Sketches can be forged: the weights themselves must decide."};
  }
  if (evidence.outstanding_share >= kSharedStartMatrices) {
    return {.verdict = Verdict::kSharedInitialisation};
  }
  return {.why = "A few weights agree weakly; that is neither a derivation nor nothing."};
}

Judgement JudgeWithoutCommonWeights(const Evidence& evidence) {
  if (UnitsAgree(evidence) && evidence.traced_share >= kInPart) {
    if (IsInert(evidence)) return Inert();
    return {.verdict = Verdict::kReparameterised, .in_part = evidence.whole_share < kWhole};
  }
  if (FormsAgree(evidence) || AnswersAloneSuffice(evidence)) {
    return {.verdict = Verdict::kReparameterised, .in_part = evidence.whole_share < kWhole};
  }
  if (!evidence.kernel_score && !evidence.frame_score) return {};
  if (AnswersOf(evidence) >= kLearnedAnswers) {
    return {.why =
                "The layers answer alike, but the weights do not show one origin: a copy in "
                "another basis, a student trained on the other's hidden states, or forged "
                "answers. The weights themselves must decide."};
  }
  if (evidence.best_layer >= kLearnedAnswers) {
    return {.why =
                "Single layers answer alike, as far as copies do, and the rest does not: a copy of "
                "a part in another basis, or forged answers. The weights themselves must decide."};
  }
  if (evidence.unit_score &&
      (evidence.unit_best >= kUnitsSilent || (evidence.unit_best >= kUnitsAlikeAmongMany &&
                                              evidence.unit_excess >= kUnitsBeyondSilent))) {
    return {.why =
                "The units of single layers are more alike than those of strangers, and less than "
                "those of copies."};
  }
  if (!evidence.all_read) {
    return {.why =
                "Nothing was found, but much of a model could not be read or has no known role."};
  }
  if (evidence.frame_score && !FormsAreSilent(evidence)) {
    return {.why =
                "The forms of the layers are more alike than those of strangers, and less than "
                "those of copies."};
  }
  if (!evidence.frame_score && !evidence.anchors_agree) {
    return {.why =
                "The anchors do not mean the same in both models, and nothing else could be "
                "compared."};
  }
  if (evidence.frame_score && !evidence.anchors_agree && *evidence.frame_score >= kFrameEmpty) {
    return {.why =
                "The anchors do not mean the same in both models, and the forms of the layers "
                "alone do not decide."};
  }
  if (evidence.idle_parts) {
    return {
        .why =
            "Nothing was found, but one of the models has parts that do nothing, as models have "
            "that hide where they come from. The weights themselves must decide."};
  }
  return {.verdict = Verdict::kIndependent};
}

}  // namespace

std::string_view VerdictSentence(Verdict verdict) {
  switch (verdict) {
    case Verdict::kIdentical:
      return "Every weight of the one was found in the other, number for number or but for the "
             "rounding of its type.";
    case Verdict::kDerived:
      return "The weights of one come from the other, or both from a common origin.";
    case Verdict::kReparameterised:
      return "The layers compute the same with other numbers: one is a rewritten copy of the "
             "other.";
    case Verdict::kSharedInitialisation:
      return "Both started from the same initial weights and were trained separately.";
    case Verdict::kIndependent:
      return "What was compared shows no common origin.";
    case Verdict::kInconclusive:
      break;
  }
  return "The evidence does not decide.";
}

bool IsDerivation(Verdict verdict) {
  return verdict == Verdict::kIdentical || verdict == Verdict::kDerived ||
         verdict == Verdict::kReparameterised;
}

std::optional<double> ScoreOf(const Evidence& evidence) {
  if (evidence.equal) return 1;
  const bool common = HasCommonWeights(evidence);
  if (!evidence.kernel_score && !evidence.frame_score && !common) return std::nullopt;
  const bool counts =
      common && IsConfirmed(evidence) && !IsInert(evidence) && !evidence.component_alone;
  const std::optional<double> weights = counts ? evidence.sketch_cosine : std::nullopt;
  return 1 - Unexplained(FunctionOf(evidence)) * Unexplained(weights);
}

Judgement JudgeEvidence(const Evidence& evidence) {
  if (evidence.equal) return {.verdict = Verdict::kIdentical};
  return HasCommonWeights(evidence) ? JudgeCommonWeights(evidence)
                                    : JudgeWithoutCommonWeights(evidence);
}

}  // namespace tensorguard::internal

namespace tensorguard {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kIdentical:
      return "identical";
    case Verdict::kDerived:
      return "derived";
    case Verdict::kReparameterised:
      return "reparameterised";
    case Verdict::kSharedInitialisation:
      return "shared-initialisation";
    case Verdict::kIndependent:
      return "independent";
    case Verdict::kInconclusive:
      break;
  }
  return "inconclusive";
}

}  // namespace tensorguard
