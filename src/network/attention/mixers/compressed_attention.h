// The attention of DeepSeek V4: one key for all heads that is its own value, and beside the keys of
// a window those of earlier tokens, many of them compressed to one.
#ifndef TENSORGUARD_NETWORK_ATTENTION_MIXERS_COMPRESSED_ATTENTION_H_
#define TENSORGUARD_NETWORK_ATTENTION_MIXERS_COMPRESSED_ATTENTION_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A MixerFunction and its check (network/recurrent/recurrent_mixer.h).
Result<FloatMatrix> RunCompressedAttention(const LayerParts& layer, const ConfigView& config,
                                           const FloatMatrix& rows, size_t sequence_length);
Result<void> CheckCompressedAttention(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_MIXERS_COMPRESSED_ATTENTION_H_
