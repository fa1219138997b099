// One layer of a network: what it computes, and how its halves join the residual stream.
#ifndef TENSORGUARD_NETWORK_LAYER_H_
#define TENSORGUARD_NETWORK_LAYER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "network/attention/attention_layer.h"
#include "network/feed_forward/feed_forward.h"
#include "network/feed_forward/mixture_of_experts.h"
#include "network/network.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_norms.h"
#include "network/parts/layer_parts.h"
#include "network/parts/norm.h"
#include "network/recurrent/recurrent_mixer.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Factors on the stream and on what a half adds to it.
struct ResidualFactors {
  float stream = 1;
  float branch = 1;
};

// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct Layer {
  LayerDescription description;
  LayerParts parts;
  LayerNorms norms = {};
  bool parallel = false;             // both halves read the same stream
  bool residual_after_norm = false;  // the stream goes on from the norm in front
  ResidualFactors mixer_factors = {};
  ResidualFactors feed_forward_factors = {};
  // At most one mixer and one feed-forward.
  std::optional<AttentionLayer> attention = {};
  const RecurrentMixer* recurrent = nullptr;
  std::optional<AttentionLayer> cross_attention = {};
  std::optional<FeedForward> feed_forward = {};
  std::optional<MixtureOfExperts> mixture = {};
  const RecurrentMixer* recurrent_feed_forward = nullptr;
  std::optional<Norm> embedding_norm = {};  // kept in the first layer (RWKV)
  // The name of a weight that has no place in the above: sequences cannot be run without it.
  std::optional<std::string> unread = {};
};

// `index` counts within the stack. Errors: kBadFile, naming the tensor, where shapes contradict
// each other or config.json.
Result<Layer> ReadLayer(const StackContext& context, LayerParts parts, uint32_t index);

// `norm` where there is one, else the rows as they are.
Result<FloatMatrix> ApplyIfAny(const std::optional<Norm>& norm, FloatMatrix rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_LAYER_H_
