// What a key's value adds to all scores of that key: Doge's dynamic mask.
#ifndef TENSORGUARD_NETWORK_ATTENTION_KEY_PREFERENCE_H_
#define TENSORGUARD_NETWORK_ATTENTION_KEY_PREFERENCE_H_

#include <cstdint>
#include <optional>

#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// exp(A softplus(W v)), a number per key head. Points into a network: valid as long as that lives.
struct KeyPreference {
  LinearMap map = {};
  const Weight* rates = nullptr;  // A, one per key head

  // The bias of scores [heads * n, n] for the values [n, key_heads * size] of n keys. Errors: those
  // of LinearMap::Apply and ReadVector.
  Result<FloatMatrix> Bias(const FloatMatrix& values, uint64_t heads) const;
};

// Empty where the layer has none.
std::optional<KeyPreference> FindKeyPreference(const LayerParts& parts, uint64_t key_heads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_KEY_PREFERENCE_H_
