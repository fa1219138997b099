// Gated short convolution: LFM2's mixer (Liquid AI 2025), whose state is a few last tokens.
#ifndef TENSORGUARD_NETWORK_RECURRENT_SHORT_CONVOLUTION_H_
#define TENSORGUARD_NETWORK_RECURRENT_SHORT_CONVOLUTION_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// [B | C | x] = in_proj of the row; out_proj(C conv(B x)), products element by element. As
// MixerFunction; all sizes come from the shapes.
Result<FloatMatrix> RunShortConvolution(const LayerParts& layer, const ConfigView& config,
                                        const FloatMatrix& rows, size_t sequence_length);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_SHORT_CONVOLUTION_H_
