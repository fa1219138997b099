// Mamba: a selective state space per channel (Gu and Dao 2023).
#ifndef TENSORGUARD_NETWORK_RECURRENT_MAMBA_H_
#define TENSORGUARD_NETWORK_RECURRENT_MAMBA_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// [u | z] = in_proj x; u through a short convolution and SiLU; [dt | B | C] = x_proj u, which Jamba
// and Falcon Mamba normalise (RMS); dt = softplus(dt_proj dt); per channel
// S_t = exp(-exp(A_log) dt) S_(t-1) + dt u B, y = S_t . C + D u; out_proj(y SiLU(z)).
// As MixerFunction; all sizes come from the shapes.
Result<FloatMatrix> RunMamba(const LayerParts& layer, const ConfigView& config,
                             const FloatMatrix& rows, size_t sequence_length);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_MAMBA_H_
