// A transformer block that several layers share and that reads the stream beside the embedded
// tokens: Zamba's (Glorioso et al. 2024).
#ifndef TENSORGUARD_NETWORK_STREAMS_SHARED_BLOCK_H_
#define TENSORGUARD_NETWORK_STREAMS_SHARED_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "network/attention/attention_layer.h"
#include "network/feed_forward/feed_forward.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What a layer adds to a map that it shares with others.
struct LowRankMap {
  std::optional<LinearMap> down = {};  // empty: nothing
  std::optional<LinearMap> up = {};
};

// The block as one layer runs it: neither half has a residual, and what it gives is added to what
// the layer's own mixer reads. Points into a network: valid as long as that lives.
struct SharedBlock {
  std::optional<Norm> input_norm = {};  // of the stream and the embedded tokens side by side
  AttentionLayer attention = {};
  LowRankMap query = {};
  LowRankMap key = {};
  LowRankMap value = {};
  std::optional<Norm> feed_forward_norm = {};
  FeedForward feed_forward = {};
  LowRankMap gate_up = {};
  LinearMap output = {};  // the layer's own
};

// [n, hidden] of the stream and of what entered the first layer. `rule` is the attention's. Errors:
// those of LinearMap::Apply and RunFeedForward.
Result<FloatMatrix> RunSharedBlock(const SharedBlock& block, const AttentionRule& rule,
                                   const FloatMatrix& stream, const FloatMatrix& embedded);

// Takes the blocks apart from the layers that they are stored in.
class SharedBlocks {
 public:
  // `layers`: the weights of each layer, from which those of the blocks are taken.
  SharedBlocks(const WeightSource& source, std::map<uint32_t, std::vector<const Weight*>>& layers);

  // Empty where the layer runs none. Errors: kBadFile, naming the tensor, where parts contradict
  // each other; kUnsupported where one is missing.
  Result<std::optional<SharedBlock>> Of(const StackContext& context, uint32_t layer) const;

 private:
  // The weights beside the mixer of each layer that has a block; where layers share one, only the
  // first of them holds it.
  std::map<uint32_t, LayerParts> beside_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_SHARED_BLOCK_H_
