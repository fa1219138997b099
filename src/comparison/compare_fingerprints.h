// The comparison of two full fingerprints: the verdict and all that it rests on.
#ifndef TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_
#define TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "comparison/alignment/kernel_similarity.h"
#include "comparison/alignment/layer_alignment.h"
#include "comparison/alignment/sketch_comparison.h"
#include "comparison/direction/direction.h"
#include "comparison/findings/finding.h"
#include "comparison/normalised_model.h"
#include "comparison/part_origins.h"
#include "comparison/quick_certainty.h"
#include "comparison/verdict.h"
#include "frame/frame_comparison.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Two layers that the comparison takes for one another's counterparts.
struct LayerMatch {
  size_t layer_a = 0;  // indices in Fingerprint::layers
  size_t layer_b = 0;
  std::optional<double> similarity = {};  // mean cosine of the kernels; empty without kernels
  std::array<std::optional<double>, kResponseKinds.size()> kernels = {};  // as kResponseKinds
  // Over the layer's learned matrices of equal shape; empty if there are none.
  std::optional<double> sketch_cosine = {};
  std::optional<double> relative_change = {};
};

struct KernelEvidence {
  size_t common_anchors = 0;
  // Mean cosine along the alignment, over the depth of the shallower model; or of the halves of the
  // layers, each aligned on its own, where that is more.
  double score = 0;
  LayerSimilarity similarity;
  LayerAlignment alignment;
  std::optional<double> anchor_agreement = {};  // AnchorAgreement
};

struct Comparison {
  Verdict verdict = Verdict::kInconclusive;
  std::string reason = {};  // why this verdict, in one or two sentences
  bool in_part = false;     // of a derivation: only parts of both have one origin
  std::optional<double> score =
      {};  // in [0, 1], to order pairs by; empty if there is nothing to score
  // That independent models show as much as the strongest of what was found, corrected for the
  // kinds of evidence that were asked; at least 1e-300. Empty where nothing with a null was
  // compared.
  std::optional<double> p_value = {};
  PairOrigins origins = {};          // every part of both models
  std::optional<Side> derived = {};  // which model came later, where the findings agree on it
  Direction direction = {};          // who came first, as far as the two show it
  std::optional<KernelEvidence> kernels = {};  // empty: could not be compared, see findings
  SketchComparison sketches = {};
  std::optional<FrameComparison> frame = {};  // empty: one of the two has no frame
  // Of the kinds of matrices, the largest KindCosines::structure.
  double common_structure = 0;
  // By the alignment, or by index where the layers were paired so.
  std::vector<LayerMatch> layers = {};
  bool layers_by_index = false;
  std::vector<Finding> findings = {};
  std::optional<QuickCertainty> quick = {};  // set where one of the two is a quick fingerprint
};

// Where a fingerprint is quick, the verdict is never kIdentical, and nothing is said about what was
// done to layers, vocabulary or weights: what was not read could say otherwise.
// CompareFingerprints(a, b) and (b, a) give the same verdict and score. Errors: kMismatch for
// fingerprints that were made with different anchor lists. Models that cannot be compared for other
// reasons are inconclusive. Thread-safe.
Result<Comparison> CompareFingerprints(const Fingerprint& a, const Fingerprint& b);

// The same, of a model that is compared with many.
Result<Comparison> CompareFingerprints(const NormalisedModel& a, const Fingerprint& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_
