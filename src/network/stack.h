// A stack of layers with what lies before and after them.
#ifndef TENSORGUARD_NETWORK_STACK_H_
#define TENSORGUARD_NETWORK_STACK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/layer.h"
#include "network/parts/embedding.h"
#include "network/parts/layer_context.h"
#include "network/parts/norm.h"
#include "network/streams/cycles.h"
#include "network/streams/extra_rows.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct Stack {
  StackContext context;
  Embedding embedding = {};
  std::vector<Layer> layers = {};
  std::vector<size_t> order = {};  // the layers as they run; a stored one may run again
  std::optional<Norm> final_norm = {};
  // The name of a weight outside the layers that has no place in this: sequences cannot be run.
  std::optional<std::string> unread = {};
  std::optional<HyperConnection> streams = {};  // what makes one of several at the end; empty: one
  std::optional<SideInputs> side_inputs = {};
  std::optional<ExtraRows> extra = {};
  std::optional<Cycles> cycles = {};
  const Weight* relative_bias = nullptr;  // per bucket of distances, of all layers; null: none

  // Whether a later layer reads the keys and values of this one.
  bool Lends(uint32_t layer) const;
  // The norm that wrote what leaves the last layer: the final one, else one on its sum.
  const std::optional<Norm>& ClosingNorm() const;
};

// Weights of one stack by their layer.
using WeightsByLayer = std::map<uint32_t, std::vector<const Weight*>>;

// `stored`: the weights of each layer. `context` without hidden_size and layer_count. Errors: those
// of ReadEmbedding and ReadLayer.
Result<Stack> ReadStack(StackContext context, const LayerParts& outer,
                        const WeightsByLayer& stored);

// What the layer's halves get of rows that stand for the residual stream (see network.h).
Result<FloatMatrix> MixerInputOf(const Stack& stack, size_t layer, FloatMatrix rows);
Result<FloatMatrix> FeedForwardInputOf(const Stack& stack, size_t layer, FloatMatrix rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STACK_H_
