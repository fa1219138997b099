// What two models are to each other.
#ifndef TENSORGUARD_COMPARISON_VERDICT_H_
#define TENSORGUARD_COMPARISON_VERDICT_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "tensorguard/verdict.h"

namespace tensorguard::internal {

// One sentence for a reader who knows nothing of the method.
std::string_view VerdictSentence(Verdict verdict);

// Whether a verdict says that one model comes from the other, or both from one.
bool IsDerivation(Verdict verdict);

// What a verdict rests on. Shares are of the learned matrices of the text layers.
struct Evidence {
  bool equal =
      false;  // all weights of both models, by their digests or but for their types' rounding
  // What the layers answer to the anchors.
  std::optional<double> kernel_score = {};  // empty: kernels cannot be compared
  double kernel_z = 0;        // of the path against layers that do not belong together
  double best_layer = 0;      // of the kernels, in the layer of the path that has most
  size_t kernel_layers = 0;   // of the shallower model
  bool anchors_agree = true;  // AnchorAgreement is that of trained models
  // The weights in one basis.
  std::optional<double> sketch_cosine = {};  // empty: no weights of one shape
  double sketch_p_value = 1;                 // that independent weights agree so well
  double outstanding_share = 0;              // see SketchComparison
  double same_share = 0;                     // found number for number, of the side that has more
  double common_share = 0;                   // found in one basis, changed or not, likewise
  double common_cosine = 0;                  // mean over what was found so
  double traced_share = 0;                   // found at all, in another basis too, likewise
  double whole_share = 0;                    // likewise, of what could be compared
  std::optional<double> written_share =
      {};                        // that the found halves write, of the side that has less
  bool component_alone = false;  // an encoder or tower was found, and of the rest nothing
  // Forms in the weights' own frame.
  std::optional<double> frame_score = {};
  double frame_p_value = 1;
  double weaker_half = 0;  // the mean over attention or over feed-forwards, whichever is less
  // The units of the feed-forwards, one by one (frame/unit_comparison.h).
  std::optional<double> unit_score = {};  // over the layers of the shallower model
  double unit_best = 0;                   // in the layer that has most
  double unit_excess = 0;      // unit_score less what layers have that do not belong together
  bool basis_changed = false;  // see basis_change.h
  bool idle_parts = false;     // a model has parts that do nothing, as disguises have
  bool all_read = true;        // every matrix has a role, and was read
  bool quick = false;  // only parts were read, by plan: QuickCertainty says what that is worth
};

// 1 - (1 - s^2) (1 - r^2): of the energy of the weights as they stand (s, cosine of the sketches)
// and of what the layers compute (r), the part that either explains. r is the cosine of the forms
// or that of the kernels, which count only as far as forms confirm them: answers alone can be
// learned. What chance explains counts nothing. Empty where nothing was measured, and where only
// weights could be compared and they do not agree: a change of basis would hide any origin.
std::optional<double> ScoreOf(const Evidence& evidence);

// Whether the forms of the layers show one origin. Few layers cannot give a small p-value, however
// alike their forms are. Who trains a model on another's hidden states, or toward its answers,
// makes the forms of attention alike, and less those of feed-forwards: the weaker half decides.
bool FormsAgree(const Evidence& evidence);

// Whether the units of a layer are the other model's. They stay what they are when a model is
// trained on, and who trains a model toward another's answers does not get its units.
bool UnitsAgree(const Evidence& evidence);

struct Judgement {
  Verdict verdict = Verdict::kInconclusive;
  bool in_part = false;       // a derivation of a part of both
  std::string_view why = {};  // one sentence where the verdict alone would mislead; else empty
};

Judgement JudgeEvidence(const Evidence& evidence);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_VERDICT_H_
