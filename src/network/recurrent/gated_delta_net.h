// Gated delta net: linear attention whose state forgets and corrects itself (Yang et al. 2024).
#ifndef TENSORGUARD_NETWORK_RECURRENT_GATED_DELTA_NET_H_
#define TENSORGUARD_NETWORK_RECURRENT_GATED_DELTA_NET_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// q, k and v through a short convolution and SiLU, q and k to unit length, q by the root of its
// size; per value head b = sigmoid(beta), decay = exp(-exp(A_log) softplus(alpha + dt_bias)),
// S_t = decay S_(t-1) + k (b (v - (decay S_(t-1))^T k))^T, o = S_t^T q; out_proj(norm(o) SiLU(z)).
// Reads Qwen3-Next's packing (in_proj_qkvz and in_proj_ba, key head by key head) and the plain one
// (in_proj_qkv, in_proj_z, in_proj_b, in_proj_a). As MixerFunction; the config states the number of
// key heads, shapes the rest.
Result<FloatMatrix> RunGatedDeltaNet(const LayerParts& layer, const ConfigView& config,
                                     const FloatMatrix& rows, size_t sequence_length);

// As MixerCheck.
Result<void> CheckGatedDeltaNet(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_GATED_DELTA_NET_H_
