// A layer that computes in another width than the residual stream (Sun et al. 2020, "MobileBERT").
#ifndef TENSORGUARD_NETWORK_STREAMS_BOTTLENECK_H_
#define TENSORGUARD_NETWORK_STREAMS_BOTTLENECK_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "network/feed_forward/feed_forward.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/norm.h"
#include "network/parts/normed_map.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A feed-forward with its residual and the norm on the sum.
struct InnerFeedForward {
  FeedForward block = {};
  std::optional<Norm> sum = {};
};

// Points into a network: valid as long as that lives.
struct Bottleneck {
  NormedMap input = {};                   // stream to inner width
  std::optional<NormedMap> queries = {};  // what queries and keys read; empty: the stream
  std::optional<NormedMap> values = {};   // the same of values
  std::optional<Norm> mixer_sum = {};     // within the layer, like the next
  std::optional<Norm> feed_forward_sum = {};
  std::vector<InnerFeedForward> further = {};  // between the mixer and the feed-forward
  LinearMap output = {};                       // inner width to stream
  std::optional<Norm> sum = {};                // on the stream that it is added to

  uint64_t width() const { return input.map.outputs(); }
};

// What a layer of this kind is told by.
bool HasBottleneck(const LayerParts& layer);

// The weights of the layer that are not the bottleneck's and its further feed-forwards'.
LayerParts WithoutBottleneck(const LayerParts& layer);

// REQUIRES: HasBottleneck. Norms within the layer are left to the caller. Errors: kBadFile, naming
// the tensor, where parts contradict each other; kUnsupported where one is missing.
Result<Bottleneck> ReadBottleneck(const StackContext& context, const LayerParts& layer);

// Runs the further feed-forwards on rows of inner width. Errors: those of RunFeedForward.
Result<FloatMatrix> RunFurther(const Bottleneck& bottleneck, FloatMatrix rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_BOTTLENECK_H_
