// The attention of one layer: its matrices, its heads and its rule.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ATTENTION_LAYER_H_
#define TENSORGUARD_NETWORK_ATTENTION_ATTENTION_LAYER_H_

#include <cstdint>
#include <optional>

#include "network/attention/attention.h"
#include "network/attention/latent_attention.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_norms.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "tensorguard/error.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct AttentionLayer {
  LinearMap query = {};  // unset of a latent attention, like key and value
  LinearMap key = {};
  LinearMap value = {};
  std::optional<LatentAttention> latent = {};
  LinearMap output = {};
  std::optional<LinearMap> gate = {};  // its sigmoid scales what the heads give
  std::optional<Norm> query_norm = {};
  std::optional<Norm> key_norm = {};
  std::optional<Norm> inner_norm = {};
  AttentionShape shape = {};
  // False where nothing tells the heads apart, but queries, keys and values are equally wide: one
  // head then stands for all of them.
  bool heads_known = true;
  AttentionRule rule = {};               // without `bias` and `sinks`
  std::optional<Error> rule_error = {};  // why there is no rule; the matrices stand without it
  const Weight* sinks = nullptr;         // null: none
};

// Errors: kBadFile, naming the tensor, where shapes contradict each other or config.json. Empty
// where there is no attention, or its heads share keys and nothing tells how.
Result<std::optional<AttentionLayer>> ReadAttentionLayer(const StackContext& context,
                                                         const LayerParts& parts,
                                                         const AttentionNorms& norms,
                                                         uint32_t layer, bool cross_attention);

// Queries of `rows`, keys and values of `key_rows` (the same, or the encoder's), norms on heads
// included, without positions. `parts` and `config` are the layer's. Errors: those of
// LinearMap::Apply.
Result<AttentionRows> Project(const AttentionLayer& attention, const LayerParts& parts,
                              const ConfigView& config, const FloatMatrix& rows,
                              const FloatMatrix& key_rows);

// The queries and keys of Project alone; a latent attention's values come with them.
Result<AttentionRows> ProjectQueriesAndKeys(const AttentionLayer& attention,
                                            const LayerParts& parts, const ConfigView& config,
                                            const FloatMatrix& rows, const FloatMatrix& key_rows);

// The rule with the sinks read in. Errors: `rule_error`; kUnsupported where the heads are not
// known; those of ReadVector.
Result<AttentionRule> FullRule(const AttentionLayer& attention);

// From what the heads give to what attention adds: gate, inner norm, output projection. `rows` are
// the attention's inputs.
Result<FloatMatrix> Finish(const AttentionLayer& attention, const FloatMatrix& rows,
                           FloatMatrix mixed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_ATTENTION_LAYER_H_
