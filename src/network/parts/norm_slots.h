// Where in a layer, or around the layers, each norm stands: the wiring follows from it.
#ifndef TENSORGUARD_NETWORK_PARTS_NORM_SLOTS_H_
#define TENSORGUARD_NETWORK_PARTS_NORM_SLOTS_H_

#include <span>
#include <string_view>
#include <vector>

#include "architecture/table/architecture_traits.h"

namespace tensorguard::internal {

// "Output" is that of the mixer or feed-forward alone, "sum" the residual stream with it added.
enum class NormSlot {
  kMixerInput,
  kMixerOutput,
  kMixerSum,
  kCrossInput,
  kCrossOutput,
  kCrossSum,
  kFeedForwardInput,
  kFeedForwardOutput,
  kFeedForwardSum,
  kQuery,
  kKey,
  kInnerAttention,    // before the output projection
  kInnerFeedForward,  // before the down projection
  kEmbedding,
  kHead,   // between a transform of the last hidden state and the logits
  kFinal,  // after the last layer
  kOther,  // inside a mixer, or of no known place
};

// The slots of one layer's norms, in the order of `names`: names of tensors up to the parameter,
// each norm once. `has_cross_attention` tells the sublayers of T5 apart.
std::vector<NormSlot> LayerNormSlots(std::span<const std::string_view> names,
                                     bool has_cross_attention, NormPlacement placement);

// kEmbedding, kHead or kFinal.
NormSlot OuterNormSlot(std::string_view name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_NORM_SLOTS_H_
