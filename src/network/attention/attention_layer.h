// The attention of one layer: its matrices, its heads and its rule.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ATTENTION_LAYER_H_
#define TENSORGUARD_NETWORK_ATTENTION_ATTENTION_LAYER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "network/attention/attention.h"
#include "network/attention/differential_attention.h"
#include "network/attention/key_preference.h"
#include "network/attention/latent_attention.h"
#include "network/attention/local_mixing.h"
#include "network/attention/relative_positions.h"
#include "network/parts/activation.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_norms.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "network/parts/normed_map.h"
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
  // What queries and keys, and what values are made of; empty: of the attention's inputs
  // themselves (MobileBERT).
  std::optional<NormedMap> query_input = {};
  std::optional<NormedMap> value_input = {};
  std::optional<LinearMap> gate =
      {};  // scales what the heads give, column by column or head by head
  Activation gate_activation = Activation::kSigmoid;
  std::optional<Norm> query_norm = {};
  std::optional<Norm> key_norm = {};
  std::optional<Norm> value_norm = {};
  bool norms_after_rotation = false;
  std::optional<Norm> inner_norm = {};
  AttentionShape shape = {};
  // False where nothing tells the heads apart, but queries, keys and values are equally wide: one
  // head then stands for all of them.
  bool heads_known = true;
  AttentionRule rule = {};               // without `bias` and `sinks`
  std::optional<Error> rule_error = {};  // why there is no rule; the matrices stand without it
  const Weight* sinks = nullptr;         // null: none
  // Its keys are its queries, normalised, and a token sees itself only where it sees nothing else
  // (Kitaev et al. 2020, "Reformer").
  bool compares_queries = false;
  // The layer of the stack whose keys and values it reads (Gemma 3n); empty: its own.
  std::optional<uint32_t> lender = {};
  std::optional<DifferentialAttention> differential = {};
  std::optional<KeyPreference> preference = {};
  std::optional<RelativePositions> relative = {};
  std::optional<LocalMixing> local = {};
  // Factors on what it reads, on its keys and on what it adds (Falcon-H1).
  float input_factor = 1;
  float key_factor = 1;
  float output_factor = 1;
  // It sees only the best of the keys where there are more; 0: all of them.
  uint64_t most_keys = 0;

  // True for weights of the last few that are no matrix of the attention itself.
  bool Holds(const Weight& weight) const {
    return (differential && differential->Holds(weight)) || (relative && relative->Holds(weight)) ||
           (local && local->Holds(weight)) ||
           (preference && (preference->rates == &weight || preference->map.weight == &weight ||
                           preference->map.bias == &weight));
  }
};

// True for a weight that only chooses which keys are seen.
bool IsOfIndexer(std::string_view name);

// What an attention is read from.
struct AttentionSource {
  const LayerParts& parts;
  const AttentionNorms& norms;
  uint32_t layer = 0;
  bool cross_attention = false;
  const LayerParts* lender = nullptr;  // whose keys and values it reads where it has none
  uint32_t lender_layer = 0;
  uint64_t stream_width = 0;  // that it reads; 0: as wide as what it adds
  std::optional<NormedMap> query_input = {};
  std::optional<NormedMap> value_input = {};
};

// Errors: kBadFile, naming the tensor, where shapes contradict each other or config.json. Empty
// where there is no attention, or its heads share keys and nothing tells how.
Result<std::optional<AttentionLayer>> ReadAttentionLayer(const StackContext& context,
                                                         const AttentionSource& source);

// Queries of `rows`, keys and values of `key_rows` (the same, or the encoder's), norms on heads
// included, without positions. `parts` and `config` are the layer's. Errors: those of
// LinearMap::Apply.
Result<AttentionRows> Project(const AttentionLayer& attention, const LayerParts& parts,
                              const ConfigView& config, const FloatMatrix& rows,
                              const FloatMatrix& key_rows);

// The same for a sequence of the rows, rotated by `rule`, from which the rotation is taken. Norms
// on heads stand before it or after, as the architecture has them.
Result<AttentionRows> ProjectSequence(const AttentionLayer& attention, const LayerParts& parts,
                                      const ConfigView& config, const FloatMatrix& rows,
                                      const FloatMatrix& key_rows, AttentionRule& rule);

// Values alone, with their norm.
Result<FloatMatrix> ProjectValues(const AttentionLayer& attention, const FloatMatrix& rows);

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
