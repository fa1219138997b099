// Gated short convolution: LFM2's mixer (Liquid AI 2025), whose state is a few last tokens.
#ifndef TENSORGUARD_NETWORK_SHORT_CONVOLUTION_H_
#define TENSORGUARD_NETWORK_SHORT_CONVOLUTION_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "base/result.h"
#include "network/float_matrix.h"
#include "network/layer_parts.h"

namespace tensorguard {

// [B | C | x] = in_proj of the row; out_proj(C conv(B x)), products element by element. As
// MixerFunction; all sizes come from the shapes.
Result<FloatMatrix> RunShortConvolution(const LayerParts& layer, const ConfigView& config,
                                        const FloatMatrix& rows, size_t sequence_length);

}  // namespace tensorguard

#endif  // TENSORGUARD_NETWORK_SHORT_CONVOLUTION_H_
