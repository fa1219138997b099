// What a model computes, layer by layer: the functions of its parts, told by the table of
// architectures (architecture/table/architecture_row.h).
#ifndef TENSORGUARD_NETWORK_NETWORK_H_
#define TENSORGUARD_NETWORK_NETWORK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "network/feed_forward/expert_visitor.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "roles/mixer_kind.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct LayerDescription {
  std::string stack = {};  // as TensorRole::stack; "" for a decoder-only model
  uint32_t index = 0;      // within its stack
  MixerKind mixer = MixerKind::kNone;
  std::string mixer_name = {};  // "attention", "latent attention", "mamba", "rwkv", ...
  bool has_feed_forward = false;
  uint32_t experts = 0;  // routed ones; 0 for a dense feed-forward
  bool has_shared_expert = false;
};

struct NetworkDescription {
  std::string architecture = {};  // the row that says what it computes, or "generic"
  // What was not stated by the config and taken from the table or from shapes: "head count", ...
  std::vector<std::string> assumed = {};
  uint64_t vocabulary_size = 0;  // rows of the embedding; 0 without one
  uint64_t hidden_size = 0;
  bool tied_head = false;
  bool has_head = false;  // false: an encoder; output rows are then the embedding's
  std::vector<LayerDescription> layers = {};  // encoder first, then decoder
};

struct NetworkParts;  // network/network_parts.h

struct NetworkOptions {
  unsigned threads = 0;  // that each function below may use; 0: one per processor
  // Sees every block that the functions read to multiply with it (Weight::observer). Must outlive
  // the network.
  WeightBlockObserver* observer = nullptr;
};

// Queries and keys of all heads side by side, keys repeated where heads share them, so that the sum
// over heads of q . k is one dot product of rows.
struct QueriesAndKeys {
  FloatMatrix queries;  // [n, heads * head size]
  FloatMatrix keys;     // the same shape
};

// The functions take rows [n, hidden], one token each, independent of each other: every row is a
// sequence of one token at position 0. Nothing but the small vectors is kept in memory; each call
// reads the weights that it needs. Const methods may be called from any thread.
// Errors of all: those of ApplyWeight.
class Network {
 public:
  // Reads shapes and config, no weights. A model without a token embedding, or without a layer
  // whose parts are known, is a network that answers nothing about tokens: its weights are there,
  // and what is known of its layers. Errors: kUnsupported for an embedding alone, and where it is
  // quantised; kBadFile, naming the tensor, where shapes contradict each other or config.json.
  static Result<std::shared_ptr<const Network>> Build(const Model& model,
                                                      const NetworkOptions& options = {});

  virtual ~Network() = default;

  virtual const NetworkDescription& description() const = 0;
  virtual const std::vector<Weight>& weights() const = 0;
  virtual const WeightSource& source() const = 0;
  virtual const NetworkParts& parts() const = 0;  // for the forward pass

  // What enters the first layer for each token, without its position: row, scale, projection,
  // the embedding's own norm. [n, hidden]. REQUIRES: ids below vocabulary_size.
  virtual Result<FloatMatrix> InputRows(std::span<const uint32_t> token_ids) const = 0;

  // h with logits = h . x for a normalised hidden state x: the head's rows with the final norm's
  // gain folded in, centred where the final norm centres. [n, hidden]. The input rows where there
  // is no head, or it has another width.
  virtual Result<FloatMatrix> OutputRows(std::span<const uint32_t> token_ids) const = 0;

  // The rows as the layer's mixer and feed-forward get them: through the norm in front; where there
  // is none (post-norm), through the norm that last wrote them; where there is none at all, scaled
  // to unit root mean square.
  virtual Result<FloatMatrix> MixerInput(size_t layer, const FloatMatrix& rows) const = 0;
  virtual Result<FloatMatrix> FeedForwardInput(size_t layer, const FloatMatrix& rows) const = 0;

  // REQUIRES: the layer's mixer is kAttention. Empty where heads that share keys cannot be told
  // apart (no config).
  virtual Result<std::optional<QueriesAndKeys>> QueriesAndKeysOf(
      size_t layer, const FloatMatrix& inputs) const = 0;

  // What the mixer adds to the residual stream for a sequence of that one token: W_o v(x) of an
  // attention; a recurrent mixer from its empty state. Includes a norm on the output.
  // REQUIRES: the layer has a mixer.
  virtual Result<FloatMatrix> MixerOutput(size_t layer, const FloatMatrix& inputs) const = 0;

  // What the feed-forward adds: dense; or the mean of all routed experts plus the shared one.
  // `visit_expert` is called for every routed expert in order with its ExpertOutput for the same
  // inputs, and an error of it returned. REQUIRES: the layer has one.
  virtual Result<FloatMatrix> FeedForwardOutput(size_t layer, const FloatMatrix& inputs,
                                                const ExpertVisitor& visit_expert = {}) const = 0;

  // One routed expert alone, without its routing weight. REQUIRES: expert < experts.
  virtual Result<FloatMatrix> ExpertOutput(size_t layer, uint32_t expert,
                                           const FloatMatrix& inputs) const = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_NETWORK_H_
