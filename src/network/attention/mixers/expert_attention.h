// Attention whose queries and output are experts, chosen for each token (JetMoE, Shen et al. 2024).
#ifndef TENSORGUARD_NETWORK_ATTENTION_MIXERS_EXPERT_ATTENTION_H_
#define TENSORGUARD_NETWORK_ATTENTION_MIXERS_EXPERT_ATTENTION_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A MixerFunction and its check (network/recurrent/recurrent_mixer.h).
Result<FloatMatrix> RunExpertAttention(const LayerParts& layer, const ConfigView& config,
                                       const FloatMatrix& rows, size_t sequence_length);
Result<void> CheckExpertAttention(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_MIXERS_EXPERT_ATTENTION_H_
