// Which experts of a mixture a token goes through, and how much each counts.
#ifndef TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_ROUTING_H_
#define TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_ROUTING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "architecture/config_view.h"
#include "roles/routing_kind.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct RoutingSettings {
  RoutingKind kind = RoutingKind::kSoftmaxTopK;
  uint32_t experts_per_token = 1;
  bool normalise = false;  // weights are divided by their sum
  double scaling = 1;      // of the weights
  // Only experts of the `kept_groups` best of `groups` equal groups can be chosen (DeepSeek-AI
  // 2024). A group counts by its best expert, with kSigmoidGroups by the sum of its two best.
  uint32_t groups = 1;
  uint32_t kept_groups = 1;
  double jitter = 0.01;  // kSparseMixer: half of how far below the best a score still counts
};

// What the table of architectures says of routing.
struct RoutingDefaults {
  std::optional<RoutingKind> kind = {};
  std::optional<bool> normalised = {};  // empty: as the kind has it
  uint32_t experts_per_token = 0;       // 0: none; config.json goes before it
};

// What config.json says of the routing of `experts` experts. `kind`: the config's "scoring_func"
// goes before it, and a correction for the choice before kTopKSoftmax, which has no place for one.
// Empty: kSigmoidGroups where there is a correction, else kSoftmaxTopK. Errors: kBadFile, naming
// the key, where the number of experts per token is not stated, or numbers contradict each other.
Result<RoutingSettings> ReadRouting(const ConfigView& config, const RoutingDefaults& defaults,
                                    uint32_t experts, bool has_correction);

struct ExpertShare {
  uint32_t expert = 0;
  float weight = 1;        // of the expert's output
  float input_factor = 1;  // on the expert's input
};

// The experts of one token. `scores`: one per expert, as the router puts them out; `correction`:
// added for the choice alone (Wang et al. 2024), empty: none. Of equal scores the first is taken.
// Sources: Shazeer et al. 2017 (softmax, top k), Liu et al. 2023 (kSparseMixer), DeepSeek-AI 2024
// (kSigmoidGroups). REQUIRES: settings fit the number of scores, as those of ReadRouting do.
std::vector<ExpertShare> RouteToken(std::span<const float> scores,
                                    std::span<const float> correction,
                                    const RoutingSettings& settings);

// The same where the token itself says its experts. REQUIRES: they are below the number of scores.
std::vector<ExpertShare> RouteToChosen(std::span<const float> scores,
                                       std::span<const uint32_t> chosen,
                                       const RoutingSettings& settings);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_ROUTING_H_
