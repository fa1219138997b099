// Mixture of experts: feed-forward blocks of which each token goes through a few.
#ifndef TENSORGUARD_NETWORK_FEED_FORWARD_MIXTURE_OF_EXPERTS_H_
#define TENSORGUARD_NETWORK_FEED_FORWARD_MIXTURE_OF_EXPERTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "architecture/config_view.h"
#include "network/feed_forward/expert_routing.h"
#include "network/feed_forward/expert_visitor.h"
#include "network/feed_forward/feed_forward.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "numerics/float_matrix.h"
#include "roles/routing_kind.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives. Experts are read one at a time, when they are
// run.
struct MixtureOfExperts {
  uint32_t experts = 0;  // routed ones
  bool has_shared_expert = false;

  std::vector<FeedForward> blocks = {};       // one per routed expert
  std::optional<FeedForward> shared = {};     // for every token
  std::optional<LinearMap> shared_gate = {};  // its sigmoid scales the shared expert's output
  // Around the routed experts, which compute in a narrower space (Nemotron 3).
  std::optional<LinearMap> latent_in = {};
  std::optional<LinearMap> latent_out = {};
  const Weight* bias = nullptr;          // of what the routed experts give together; null: none
  bool averaged_with_shared = false;     // half of what both give; else their sum
  std::optional<LinearMap> router = {};  // hidden state to one score per expert
  const WeightSource* source = nullptr;
  const Weight* correction = nullptr;  // added to the scores for the choice; null: none
  const Weight* choices = nullptr;     // the experts of every token, by its id; null: by scores
  // What the config says of the routing, an error where that or the router is not understood. It
  // concerns sequences alone: what single experts compute does not hang on it.
  Result<RoutingSettings> routing = RoutingSettings();

  // True for a weight beside the router's, the experts' and the shared expert's.
  bool Holds(const Weight& weight) const {
    const auto holds = [&](const std::optional<LinearMap>& map) {
      return map && (map->weight == &weight || map->bias == &weight);
    };
    return holds(latent_in) || holds(latent_out) || &weight == choices || &weight == bias;
  }
};

// REQUIRES: the layer has weights with an expert. `routing` is empty for an architecture without a
// row. Errors: kBadFile where an expert lacks a matrix.
Result<MixtureOfExperts> ReadMixture(const LayerParts& layer, const ConfigView& config,
                                     const FeedForwardSettings& settings,
                                     const RoutingDefaults& routing);

// All take rows [n, hidden] to the same shape. Errors: those of LinearMap::Apply and
// RunFeedForward.

// The experts that each row is routed to, weighted, and the shared one. `ids`: the rows' tokens,
// for a mixture whose tokens say their experts. Errors: also those of ReadRouting; kUnsupported
// where the router is not understood, or tokens are wanted and not there.
Result<FloatMatrix> RunMixture(const MixtureOfExperts& mixture, const FloatMatrix& rows,
                               std::span<const uint32_t> ids = {});

// One routed expert alone, without its weight. REQUIRES: expert < mixture.experts.
Result<FloatMatrix> RunExpert(const MixtureOfExperts& mixture, uint32_t expert,
                              const FloatMatrix& rows);

// The mean of all routed experts, and the shared one. `visit` may be empty; an error of it is
// returned.
Result<FloatMatrix> RunAllExperts(const MixtureOfExperts& mixture, const FloatMatrix& rows,
                                  const ExpertVisitor& visit = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FEED_FORWARD_MIXTURE_OF_EXPERTS_H_
