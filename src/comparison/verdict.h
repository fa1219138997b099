// What two models are to each other.
#ifndef TENSORGUARD_COMPARISON_VERDICT_H_
#define TENSORGUARD_COMPARISON_VERDICT_H_

#include <optional>
#include <string_view>

namespace tensorguard {

enum class Verdict {
  kIdentical,             // the same numbers
  kDerived,               // trained, pruned, merged, quantised, ... from one another or one origin
  kReparameterised,       // derived, and the basis of the weights was changed
  kSharedInitialisation,  // the same initial weights, trained apart
  kIndependent,
  kInconclusive,
};

// "identical", "derived", "reparameterised", "shared-initialisation", "independent",
// "inconclusive".
std::string_view VerdictName(Verdict verdict);

// One sentence for a reader who knows nothing of the method.
std::string_view VerdictSentence(Verdict verdict);

struct Evidence {
  bool equal = false;                        // all weights of both models, at least to rounding
  std::optional<double> kernel_score = {};   // empty: kernels cannot be compared
  std::optional<double> sketch_cosine = {};  // empty: no weights of one shape
  double sketch_p_value = 1;                 // that independent weights agree so well
  double outstanding_share = 0;              // see SketchComparison
  double copied_share = 0;                   // likewise
  bool basis_changed = false;                // see basis_change.h
};

// 1 - (1 - k^2) (1 - s^2): of the energy of what the layers answer (k, cosine of the kernels) and
// of the weights (s, cosine of the sketches), the part that either explains. A negative cosine
// explains nothing. Empty where neither was measured, and where only weights could be compared and
// they do not agree beyond chance: a change of basis would hide any origin.
std::optional<double> ScoreOf(const Evidence& evidence);

Verdict JudgeEvidence(const Evidence& evidence);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_VERDICT_H_
