// RWKV-4: time mixing and channel mixing (Peng et al. 2023).
#ifndef TENSORGUARD_NETWORK_RECURRENT_RWKV_H_
#define TENSORGUARD_NETWORK_RECURRENT_RWKV_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Both mix each row with the one before it in its sequence (zero before the first),
// x m + x_before (1 - m), with another m for each use.

// r, k, v from mixed rows; a weighted mean of the values so far, weights exp(k) that decay by
// exp(-exp(time_decay)) per token, the newest by exp(k + time_first); output(sigmoid(r) mean).
// As MixerFunction.
Result<FloatMatrix> RunRwkvTimeMixing(const LayerParts& layer, const ConfigView& config,
                                      const FloatMatrix& rows, size_t sequence_length);

// sigmoid(receptance x_r) value(max(key x_k, 0)^2). As MixerFunction.
Result<FloatMatrix> RunRwkvChannelMixing(const LayerParts& layer, const ConfigView& config,
                                         const FloatMatrix& rows, size_t sequence_length);

bool HasRwkvTimeMixing(const LayerParts& layer);
bool HasRwkvChannelMixing(const LayerParts& layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_RWKV_H_
