// Lightning attention: linear attention with a fixed decay per head (Qin et al. 2024).
#ifndef TENSORGUARD_NETWORK_RECURRENT_LIGHTNING_ATTENTION_H_
#define TENSORGUARD_NETWORK_RECURRENT_LIGHTNING_ATTENTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// How fast each head of a layer forgets: the slopes of ALiBi for a power of two heads, 2^(-8 h / H)
// for h from 1 on, smaller in later layers (MiniMax-01 technical report, 2025). REQUIRES: layer <
// layers.
std::vector<double> LightningSlopes(uint64_t heads, uint64_t layer, uint64_t layers);

// q, k, v = SiLU(qkv_proj x), head by head; S_t = exp(-slope) S_(t-1) + k v^T, o = S_t^T q;
// out_proj(norm(o) sigmoid(output_gate x)). As MixerFunction; the config states the heads and the
// layers.
Result<FloatMatrix> RunLightningAttention(const LayerParts& layer, const ConfigView& config,
                                          const FloatMatrix& rows, size_t sequence_length);

// As MixerCheck.
Result<void> CheckLightningAttention(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_LIGHTNING_ATTENTION_H_
