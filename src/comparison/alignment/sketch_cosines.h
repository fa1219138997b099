// The sketches of all layers of one model against those of all layers of another.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COSINES_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COSINES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Matrices of one kind have one role and shape. `occurrence` counts those of one layer of which all
// the rest is equal: a mixer has several.
struct MatrixKind {
  Role role = Role::kOther;
  uint64_t rows = 0;
  uint64_t columns = 0;
  bool shared_expert = false;
  bool cross_attention = false;
  size_t occurrence = 0;

  auto operator<=>(const MatrixKind&) const = default;
};

// What independent models have in common in their matrices of one kind.
struct KindNull {
  size_t pairs = 0;
  double mean = 0;       // of the cosines
  double deviation = 1;  // of the cosines over IndependentDeviation, at least 1
};

// One kind: a matrix for each layer that has one (of experts the first).
struct KindCosines {
  MatrixKind kind = {};
  std::vector<size_t> in_a = {};  // indices in Fingerprint::weights
  std::vector<size_t> in_b = {};
  std::vector<double> cosines = {};  // [in_a, in_b], row-major
  double deviation = 1;              // IndependentDeviation of the shape
  // What the sums and the greatest numbers of the matrices alone can make a cosine: a mean that is
  // not zero, or one huge number at one place, are no common origin.
  double structure = 0;

  double At(size_t i, size_t j) const { return cosines[i * in_b.size() + j]; }
};

// Learned matrices of layers, by kinds that both models have, in the order of MatrixKind.
std::vector<KindCosines> CosinesOfLayers(const Fingerprint& a, const Fingerprint& b);

// Which matrices (indices in Fingerprint::weights) are taken for counterparts: they are no
// null.
using AreCounterparts = std::function<bool(size_t in_a, size_t in_b)>;

// Of the cells that are no counterparts: by median and lower quartile, so that other copies
// (repeated layers) do not pass for a null. Never below `structure`. Where no cells are left, pairs
// is 0 and the mean `structure` alone.
KindNull NullOf(const KindCosines& kind, const AreCounterparts& counterparts);

// The same where no counterparts are known yet. Of many layers they are few of all cells; of few
// layers the nearest of each are taken out, and the deviation is a cautious value.
KindNull NullOfUnpaired(const KindCosines& kind);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_COSINES_H_
