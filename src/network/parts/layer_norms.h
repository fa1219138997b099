// The norms of one layer, put in their places by their names.
#ifndef TENSORGUARD_NETWORK_PARTS_LAYER_NORMS_H_
#define TENSORGUARD_NETWORK_PARTS_LAYER_NORMS_H_

#include <optional>
#include <string>
#include <string_view>

#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/norm.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The norm before the mixer of rows that run beside the tokens (PEGASUS-X): not one of the slots.
inline constexpr std::string_view kExtraInput = "global_self_attn_layer_norm";

// Norms by their place (network/parts/norm_slots.h).
struct LayerNorms {
  std::optional<Norm> mixer_input = {};
  std::optional<Norm> mixer_output = {};
  std::optional<Norm> mixer_sum = {};
  std::optional<Norm> cross_input = {};
  std::optional<Norm> cross_output = {};
  std::optional<Norm> cross_sum = {};
  std::optional<Norm> feed_forward_input = {};
  std::optional<Norm> feed_forward_output = {};
  std::optional<Norm> feed_forward_sum = {};
};

// Norms of a layer's attention, found by their names.
struct AttentionNorms {
  const Weight* query_gain = nullptr;
  const Weight* query_bias = nullptr;
  const Weight* key_gain = nullptr;
  const Weight* key_bias = nullptr;
  const Weight* inner_gain = nullptr;
  const Weight* inner_bias = nullptr;
};

// Norms as wide as the residual stream, by their place, and those within attention.
struct PlacedNorms {
  std::optional<std::string> unplaced;  // the name of one without a place
  LayerNorms layer;
  AttentionNorms attention;
  AttentionNorms cross_attention;
  std::optional<Norm> inner_feed_forward;
  std::optional<Norm> embedding;
};

// Errors: kBadFile, naming the tensor, for a norm that is not as wide as the residual stream.
Result<PlacedNorms> PlaceNorms(const StackContext& context, const LayerParts& parts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_LAYER_NORMS_H_
