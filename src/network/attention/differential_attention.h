// Attention as the difference of two: DiffLlama (Ye et al. 2024).
#ifndef TENSORGUARD_NETWORK_ATTENTION_DIFFERENTIAL_ATTENTION_H_
#define TENSORGUARD_NETWORK_ATTENTION_DIFFERENTIAL_ATTENTION_H_

#include <cstdint>
#include <optional>

#include "network/attention/attention.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The heads of one half look where those of the other half do, both at the values of two heads; what
// the second half sees is taken from the first, times a learned factor. Points into a network: valid
// as long as that lives.
struct DifferentialAttention {
  const WeightSource* source = nullptr;
  const Weight* query_1 = nullptr;
  const Weight* key_1 = nullptr;
  const Weight* query_2 = nullptr;
  const Weight* key_2 = nullptr;
  double depth_factor = 0;  // of the layer
  double epsilon = 1e-5;

  bool Holds(const Weight& weight) const;

  // What the heads give, [n, heads * 2 size], to [n, heads * size]. Errors: those of ReadVector.
  Result<FloatMatrix> Combine(const FloatMatrix& mixed, const AttentionShape& shape) const;
};

// Values of key heads [n, key_heads * size] to those that each head sees, [n, heads * 2 size], and
// the shape that goes with them, which has a key for every head.
FloatMatrix PairValues(const FloatMatrix& values, AttentionShape& shape);

// Empty where the layer has none.
std::optional<DifferentialAttention> FindDifferentialAttention(const LayerParts& parts,
                                                               uint32_t layer, double epsilon);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_DIFFERENTIAL_ATTENTION_H_
