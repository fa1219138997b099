// Real-gated linear recurrent unit: the mixer of Griffin and RecurrentGemma (De et al. 2024).
#ifndef TENSORGUARD_NETWORK_RECURRENT_GATED_LINEAR_RECURRENCE_H_
#define TENSORGUARD_NETWORK_RECURRENT_GATED_LINEAR_RECURRENCE_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// x = linear_x of the row through a short convolution; per block of x's columns two gates
// i, r = sigmoid(x W + b); per column a = exp(-8 r softplus(recurrent_param)),
// h_t = a h_(t-1) + sqrt(1 - a^2) i x, at the start of a sequence h = i x;
// linear_out(h activation(linear_y of the row)). As MixerFunction; sizes come from the shapes.
Result<FloatMatrix> RunGatedLinearRecurrence(const LayerParts& layer, const ConfigView& config,
                                             const FloatMatrix& rows, size_t sequence_length);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_GATED_LINEAR_RECURRENCE_H_
