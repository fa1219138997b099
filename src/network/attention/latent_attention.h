// Latent attention: keys and values through a narrow bottleneck (DeepSeek-AI 2024, DeepSeek-V2).
#ifndef TENSORGUARD_NETWORK_ATTENTION_LATENT_ATTENTION_H_
#define TENSORGUARD_NETWORK_ATTENTION_LATENT_ATTENTION_H_

#include <cstdint>

#include "architecture/config_view.h"
#include "network/attention/attention.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct LatentAttention {
  AttentionShape shape = {};  // key_heads == heads: the bottleneck has a key for each
  // Of each head's columns, those that are rotated: the last ones. All heads share that part of
  // the key.
  uint64_t rotary_first = 0;
  uint64_t rotary_size = 0;
  bool interleaved = true;  // as Rotary::interleaved
  float scale = 1;          // of the scores, the part of YaRN that belongs there included
};

bool IsLatentAttention(const LayerParts& layer);

// From shapes and config. Errors: kBadFile, naming the key or the tensor, where sizes are missing
// or contradict each other.
Result<LatentAttention> ReadLatentAttention(const LayerParts& layer, const ConfigView& config);

// Queries, keys and values of rows [n, hidden], the rotation not yet applied, the norms inside the
// bottlenecks applied. Errors: those of LinearMap::Apply and Norm::Apply.
Result<AttentionRows> ProjectLatent(const LayerParts& layer, const LatentAttention& latent,
                                    const ConfigView& config, const FloatMatrix& rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_LATENT_ATTENTION_H_
