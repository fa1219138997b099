// Whether layers that compute the same hold other numbers.
#ifndef TENSORGUARD_COMPARISON_FINDINGS_BASIS_CHANGE_H_
#define TENSORGUARD_COMPARISON_FINDINGS_BASIS_CHANGE_H_

#include <vector>

#include "comparison/alignment/kernel_similarity.h"
#include "comparison/alignment/layer_alignment.h"
#include "comparison/alignment/sketch_comparison.h"

namespace tensorguard::internal {

struct BasisChange {
  // Kernels that stayed while the weights behind them have nothing in common any more: permuted or
  // rotated, whether or not trained since.
  std::vector<ResponseKind> lost_parts = {};
  // All weights together moved far more than the function did: rescaled, re-gained.
  bool function_kept = false;

  bool Happened() const { return function_kept || !lost_parts.empty(); }
};

// `sketches` must follow the path of `alignment`. Nothing where shapes leave nothing to compare.
BasisChange FindBasisChange(const Fingerprint& a, const LayerSimilarity& similarity,
                            const LayerAlignment& alignment, const SketchComparison& sketches);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_FINDINGS_BASIS_CHANGE_H_
