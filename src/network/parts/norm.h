// Normalisation of rows: RMSNorm and LayerNorm, over whole rows or head by head.
#ifndef TENSORGUARD_NETWORK_PARTS_NORM_H_
#define TENSORGUARD_NETWORK_PARTS_NORM_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "roles/norm_kind.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Each stretch of `group` columns (0: the whole row) on its own. REQUIRES: group divides
// the columns.
void Normalise(NormKind kind, double epsilon, size_t group, FloatMatrix& rows);

// Points into a network: valid as long as that lives.
struct Norm {
  const WeightSource* source = nullptr;
  NormKind kind = NormKind::kRms;
  double epsilon = 1e-5;
  const Weight* gain = nullptr;  // null: none
  const Weight* bias = nullptr;  // null: none
  bool gain_plus_one = false;    // stored as the difference from 1 (Gemma)
  // Columns that are normalised together; 0: the whole row. A gain shorter than the row repeats.
  size_t group = 0;

  // [n, width] to the same shape. Errors: those of ReadWeight; kBadFile, naming the tensor, if gain
  // or bias do not fit the rows.
  Result<FloatMatrix> Apply(FloatMatrix rows) const;
  // The gain as a factor per column, ones where there is none. Errors: as Apply.
  Result<std::vector<float>> ReadGain(size_t width) const;
};

// `norm` where there is one, else the rows as they are.
Result<FloatMatrix> ApplyIfAny(const std::optional<Norm>& norm, FloatMatrix rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_NORM_H_
