#include "network/attention/key_preference.h"

#include <cmath>

#include "base/try.h"
#include "network/parts/gate_functions.h"

namespace tensorguard::internal {

Result<FloatMatrix> KeyPreference::Bias(const FloatMatrix& values, uint64_t heads) const {
  const uint64_t key_heads = map.outputs();
  TG_ASSIGN(auto steps, map.Apply(values));
  TG_ASSIGN(const auto own, ReadVector(*map.source, *rates, key_heads));
  const size_t length = values.rows();
  FloatMatrix bias(heads * length, length);
  for (uint64_t head = 0; head < heads; ++head) {
    const uint64_t of = head / (heads / key_heads);
    for (size_t key = 0; key < length; ++key) {
      const float added = std::exp(own[of] * Softplus(steps.Row(key)[of]));
      for (size_t query = 0; query < length; ++query) bias.Row(head * length + query)[key] = added;
    }
  }
  return bias;
}

std::optional<KeyPreference> FindKeyPreference(const LayerParts& parts, uint64_t key_heads) {
  const auto map = parts.NamedMap("self_attn.dt_proj");
  const Weight* rates = parts.Named("self_attn.A");
  if (!map || rates == nullptr || map->outputs() != key_heads) return {};
  return KeyPreference{*map, rates};
}

}  // namespace tensorguard::internal
