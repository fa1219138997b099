// A matrix with a norm behind it.
#ifndef TENSORGUARD_NETWORK_PARTS_NORMED_MAP_H_
#define TENSORGUARD_NETWORK_PARTS_NORMED_MAP_H_

#include <optional>
#include <utility>

#include "base/try.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives.
struct NormedMap {
  LinearMap map = {};
  std::optional<Norm> norm = {};

  // Errors: those of LinearMap::Apply and Norm::Apply.
  Result<FloatMatrix> Apply(const FloatMatrix& rows) const {
    TG_ASSIGN(auto mapped, map.Apply(rows));
    return ApplyIfAny(norm, std::move(mapped));
  }
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_NORMED_MAP_H_
