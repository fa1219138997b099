// A matrix with its bias, as a function of rows.
#ifndef TENSORGUARD_NETWORK_PARTS_LINEAR_MAP_H_
#define TENSORGUARD_NETWORK_PARTS_LINEAR_MAP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct LinearMap {
  const WeightSource* source = nullptr;
  const Weight* weight = nullptr;
  const Weight* bias = nullptr;  // null where there is none

  uint64_t inputs() const { return weight->columns * weight->groups; }
  uint64_t outputs() const { return weight->rows; }

  // rows [n, inputs] to [n, outputs]. Errors: those of ApplyWeight; kBadFile, naming the tensor,
  // where the rows or the bias are not as wide as the matrix wants them.
  Result<FloatMatrix> Apply(const FloatMatrix& rows) const;
};

// `map` where there is one, else the rows as they are.
Result<FloatMatrix> ApplyMapIfAny(const std::optional<LinearMap>& map, FloatMatrix rows);

// All numbers of a weight one after the other, whatever its dimensions. Errors: those of
// ReadWeight; kBadFile, naming the tensor, if there are not `expected_size` of them.
Result<std::vector<float>> ReadVector(const WeightSource& source, const Weight& weight,
                                      uint64_t expected_size);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_LINEAR_MAP_H_
