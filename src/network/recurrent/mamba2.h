// Mamba-2: a selective state space per head (Dao and Gu 2024).
#ifndef TENSORGUARD_NETWORK_RECURRENT_MAMBA2_H_
#define TENSORGUARD_NETWORK_RECURRENT_MAMBA2_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// [z | x | B | C | dt] = in_proj of the row; x, B and C through a short convolution and SiLU;
// dt = softplus(dt + dt_bias), clamped to the config's time_step_limit; per head h of group g
// S_t = exp(-exp(A_log_h) dt_h) S_(t-1) + dt_h x_h B_g^T, y_h = S_t C_g + D_h x_h;
// out_proj(norm(y SiLU(z))). As MixerFunction; sizes come from the shapes, the number of groups
// from the config (1 where it does not say).
Result<FloatMatrix> RunMamba2(const LayerParts& layer, const ConfigView& config,
                              const FloatMatrix& rows, size_t sequence_length);

// As MixerCheck.
Result<void> CheckMamba2(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_MAMBA2_H_
