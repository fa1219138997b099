// Mamba in heads that choose for themselves what they carry: the first Zamba (Glorioso et al.
// 2024).
#ifndef TENSORGUARD_NETWORK_RECURRENT_HEADED_MAMBA_H_
#define TENSORGUARD_NETWORK_RECURRENT_HEADED_MAMBA_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// MixerCheck and MixerFunction of recurrent_mixer.h. `x_proj_weight` [heads, step size + 2 state
// size, head size] and `dt_proj_weight` [heads, head size, step size] hold a matrix for each head.
Result<void> CheckHeadedMamba(const LayerParts& layer, const ConfigView& config);
Result<FloatMatrix> RunHeadedMamba(const LayerParts& layer, const ConfigView& config,
                                   const FloatMatrix& rows, size_t sequence_length);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_HEADED_MAMBA_H_
