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
#include "network/streams/bottleneck.h"
#include "network/streams/hyper_connection.h"
#include "network/streams/shared_block.h"
#include "network/streams/side_input.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Factors on the stream and on what a half adds to it.
struct ResidualFactors {
  float stream = 1;
  float branch = 1;
  const Weight* gains = nullptr;  // on the stream, column by column (Doge); null: none
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
  // One mixer, or both side by side (Falcon-H1), and at most one feed-forward.
  std::optional<AttentionLayer> attention = {};
  const RecurrentMixer* recurrent = nullptr;
  std::optional<AttentionLayer> cross_attention = {};
  std::optional<FeedForward> feed_forward = {};
  std::optional<MixtureOfExperts> mixture = {};
  const RecurrentMixer* recurrent_feed_forward = nullptr;
  std::optional<SideInput> side = {};
  std::optional<Bottleneck> bottleneck = {};  // the layer computes in another width
  std::optional<SharedBlock> shared = {};     // adds to what the mixer reads
  // Before the mixer, of rows that run beside the tokens (PEGASUS-X); else the tokens'.
  std::optional<Norm> extra_input = {};
  // Around the halves of a layer with several streams.
  std::optional<HyperConnection> mixer_streams = {};
  std::optional<HyperConnection> feed_forward_streams = {};
  std::optional<Norm> embedding_norm = {};  // kept in the first layer (RWKV)
  // Does nothing but read an encoder (of images, say), and nothing where there is none.
  bool OnlyReadsEncoder() const { return cross_attention && description.mixer == MixerKind::kNone; }

  // The name of a weight that has no place in the above: sequences cannot be run without it.
  std::optional<std::string> unread = {};
};

// `index` counts within the stack. Errors: kBadFile, naming the tensor, where shapes contradict
// each other or config.json.
// `lender`: the layer whose keys and values it reads where it has none of its own; null: none.
Result<Layer> ReadLayer(const StackContext& stream, LayerParts parts, uint32_t index,
                        const LayerParts* lender = nullptr, uint32_t lender_index = 0);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_LAYER_H_
