// One feed-forward block, gated or plain: also one expert of a mixture.
#ifndef TENSORGUARD_NETWORK_FEED_FORWARD_FEED_FORWARD_H_
#define TENSORGUARD_NETWORK_FEED_FORWARD_FEED_FORWARD_H_

#include <optional>

#include "network/feed_forward/learned_activation.h"
#include "network/parts/activation.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FeedForwardSettings {
  Activation activation = Activation::kSilu;
  // gpt-oss: both halves clamped to this limit (the gate from above only), the gate through
  // x sigmoid(slope x), one added to the other half.
  std::optional<float> clamp = {};
  float clamped_slope = 1.702f;
  std::optional<float> limit =
      {};                 // clamped to this in the same way, and nothing else (DeepSeek V4)
  float gate_factor = 1;  // on the gate before its activation
  float down_factor = 1;  // on what the block gives
};

// down(activation(up x)), or down(activation(gate x) * (up x)).
struct FeedForward {
  std::optional<LinearMap> gate = {};
  LinearMap up = {};
  LinearMap down = {};
  FeedForwardSettings settings = {};
  std::optional<LearnedActivation> learned = {};  // instead of settings.activation
  std::optional<Norm> inner_norm = {};            // before `down`
};

// The block of these parts; empty if there is no up or no down. For a mixture: filter.expert or
// filter.shared_expert.
std::optional<FeedForward> FindFeedForward(const LayerParts& layer,
                                           const FeedForwardSettings& settings,
                                           const PartFilter& filter = {});

// [n, hidden] to [n, hidden]. Errors: those of LinearMap::Apply; kBadFile, naming the tensor, where
// the gate is not as wide as the other half.
Result<FloatMatrix> RunFeedForward(const FeedForward& block, const FloatMatrix& rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FEED_FORWARD_FEED_FORWARD_H_
