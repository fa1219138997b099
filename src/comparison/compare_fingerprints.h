// The comparison of two full fingerprints: the verdict and all that it rests on.
#ifndef TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_
#define TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "comparison/finding.h"
#include "comparison/kernel_similarity.h"
#include "comparison/layer_alignment.h"
#include "comparison/quick_certainty.h"
#include "comparison/sketch_comparison.h"
#include "comparison/verdict.h"

namespace tensorguard {

// Two layers that the comparison takes for one another's counterparts.
struct LayerMatch {
  size_t layer_a = 0;  // indices in FullFingerprint::layers
  size_t layer_b = 0;
  std::optional<double> similarity = {};  // mean cosine of the kernels; empty without kernels
  std::array<std::optional<double>, kResponseKinds.size()> kernels = {};  // as kResponseKinds
  // Over the layer's learned matrices of equal shape; empty if there are none.
  std::optional<double> sketch_cosine = {};
  std::optional<double> relative_change = {};
};

struct KernelEvidence {
  size_t common_anchors = 0;
  // Mean cosine along the alignment, over the depth of the shallower model.
  double score = 0;
  LayerSimilarity similarity;
  LayerAlignment alignment;
};

struct Comparison {
  Verdict verdict = Verdict::kInconclusive;
  std::string reason = {};           // why this verdict, in one or two sentences
  std::optional<double> score = {};  // in [0, 1]; empty if there is nothing to score
  std::optional<Side> derived = {};  // which model came later, where the findings agree on it
  std::optional<KernelEvidence> kernels = {};  // empty: could not be compared, see findings
  SketchComparison sketches = {};
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
Result<Comparison> CompareFingerprints(const FullFingerprint& a, const FullFingerprint& b);

}  // namespace tensorguard

#endif  // TENSORGUARD_COMPARISON_COMPARE_FINGERPRINTS_H_
