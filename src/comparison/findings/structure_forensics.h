// How the build of two models that share their origin differs.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_STRUCTURE_FORENSICS_H_
#define TENSORGUARD_COMPARISON_FINDINGS_STRUCTURE_FORENSICS_H_

#include <vector>

#include "comparison/alignment/common_anchors.h"
#include "comparison/alignment/kernel_similarity.h"
#include "comparison/alignment/layer_alignment.h"
#include "comparison/alignment/sketch_comparison.h"
#include "comparison/findings/finding.h"
#include "comparison/weight_pairs.h"

namespace tensorguard::internal {

// Another order, and layers of the deeper model that the alignment leaves out: repeated ones, or
// without counterpart. A layer whose matrices all have the digests of one of the other model has
// its home there, whatever its kernels say.
std::vector<Finding> FindLayerChanges(const Fingerprint& a, const Fingerprint& b,
                                      const LayerSimilarity& similarity,
                                      const LayerAlignment& alignment);

// Feed-forward widths, experts, hidden sizes. `layers` as the alignment has it.
std::vector<Finding> FindWidthChanges(const Fingerprint& a, const Fingerprint& b,
                                      const LayerMap& layers, const SketchComparison& sketches);

// Rows added, removed, reordered.
std::vector<Finding> FindVocabularyChanges(const Fingerprint& a, const Fingerprint& b,
                                           const CommonAnchors& anchors);

// How much the rows of common tokens changed, of the embedding and of a head of its own. REQUIRES:
// the weights are in one basis.
std::vector<Finding> FindEmbeddingChange(const SketchComparison& sketches);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_STRUCTURE_FORENSICS_H_
