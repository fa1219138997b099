#include "comparison/verdict.h"

#include <algorithm>

#include "comparison/thresholds.h"

namespace tensorguard {
namespace {

double Unexplained(std::optional<double> cosine) {
  const double positive = std::clamp(cosine.value_or(0), 0.0, 1.0);
  return 1 - positive * positive;
}

// The weights agree beyond chance, and not only a few of them.
bool HasCommonOrigin(const Evidence& evidence) {
  return evidence.sketch_cosine && evidence.sketch_p_value < kSharedStartP &&
         evidence.outstanding_share >= kSharedStartMatrices;
}

Verdict DerivedOrChanged(const Evidence& evidence) {
  return evidence.basis_changed ? Verdict::kReparameterised : Verdict::kDerived;
}

}  // namespace

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

std::string_view VerdictSentence(Verdict verdict) {
  switch (verdict) {
    case Verdict::kIdentical:
      return "Both hold the same weights.";
    case Verdict::kDerived:
      return "The weights of one come from the other, or both from a common origin.";
    case Verdict::kReparameterised:
      return "The layers compute the same with other numbers: one is a rewritten copy of the "
             "other.";
    case Verdict::kSharedInitialisation:
      return "Both started from the same initial weights and were trained separately.";
    case Verdict::kIndependent:
      return "Nothing in the weights shows that one comes from the other.";
    case Verdict::kInconclusive:
      break;
  }
  return "The evidence does not decide.";
}

std::optional<double> ScoreOf(const Evidence& evidence) {
  if (evidence.equal) return 1;
  if (!evidence.kernel_score && !HasCommonOrigin(evidence)) return std::nullopt;
  return 1 - Unexplained(evidence.kernel_score) * Unexplained(evidence.sketch_cosine);
}

Verdict JudgeEvidence(const Evidence& evidence) {
  if (evidence.equal) return Verdict::kIdentical;
  const auto score = ScoreOf(evidence);
  if (!score) return Verdict::kInconclusive;
  if (*score >= kDerivedScore) return DerivedOrChanged(evidence);
  if (HasCommonOrigin(evidence)) {
    const bool continued =
        *score >= kContinuedScore || evidence.copied_share >= kSharedStartMatrices;
    return continued ? DerivedOrChanged(evidence) : Verdict::kSharedInitialisation;
  }
  return *score >= kIndependentScore ? Verdict::kInconclusive : Verdict::kIndependent;
}

}  // namespace tensorguard
