#include "network/feed_forward/expert_routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/try.h"
#include "network/parts/stated_number.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 8> kPerTokenKeys = {"num_experts_per_tok",
                                                           "num_experts_per_token",
                                                           "experts_per_token",
                                                           "num_selected_experts",
                                                           "moe_topk",
                                                           "moe_top_k",
                                                           "moe_k",
                                                           "top_k_experts"};
constexpr std::array<std::string_view, 1> kGroupKeys = {"n_group"};
constexpr std::array<std::string_view, 1> kKeptGroupKeys = {"topk_group"};
constexpr std::array<std::string_view, 5> kScalingKeys = {
    "routed_scaling_factor", "moe_router_scaling_factor", "moe_routed_scaling_factor",
    "router_scaling_factor", "route_scale"};
constexpr std::array<std::string_view, 1> kDropoutKeys = {"moe_token_dropout"};
constexpr std::array<std::string_view, 1> kJitterKeys = {"router_jitter_noise"};
constexpr std::array<std::string_view, 4> kScoringKeys = {"scoring_func", "score_function",
                                                          "score_func", "expert_selection_fn"};
constexpr std::array<std::string_view, 1> kMethodKeys = {"topk_method"};

// Beside the sum of chosen weights where it divides them, as the published code has it.
constexpr double kSumEpsilon = 1e-20;

constexpr double kNever = -std::numeric_limits<double>::infinity();

Result<void> ReadGroups(const ConfigView& config, uint32_t experts, RoutingSettings& settings) {
  const bool grouped = settings.kind == RoutingKind::kSigmoidGroups ||
                       config.Text(kMethodKeys) == "group_limited_greedy";
  if (!grouped) return {};
  const auto groups = StatedNumber(config, kGroupKeys);
  if (!groups) return groups.error();
  TG_ASSIGN(const auto kept, StatedNumber(config, kKeptGroupKeys));
  const uint64_t all = groups->value_or(1);
  if (all > experts || experts % all != 0) {
    return ContradictoryNumber(kGroupKeys.front(), all, "does not divide the experts",
                               fmt::format("a divisor of {}", experts));
  }
  const uint64_t some = kept.value_or(all);
  if (some > all) {
    return ContradictoryNumber(kKeptGroupKeys.front(), some, "is more than the groups there are",
                               fmt::format("at most {}", all));
  }
  settings.groups = static_cast<uint32_t>(all);
  settings.kept_groups = static_cast<uint32_t>(some);
  return {};
}

size_t IndexOfLargest(std::span<const double> values) {
  size_t best = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

// The `count` largest, largest first. What is no number is taken last.
std::vector<uint32_t> LargestOf(std::vector<double> values, uint32_t count) {
  std::vector<uint32_t> chosen;
  std::vector<bool> taken(values.size(), false);
  while (chosen.size() < count) {
    std::optional<size_t> best;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!taken[i] && (!best || values[i] > values[*best])) best = i;
    }
    taken[*best] = true;
    chosen.push_back(static_cast<uint32_t>(*best));
  }
  return chosen;
}

std::vector<double> Softmax(std::span<const double> scores) {
  const double largest = scores[IndexOfLargest(scores)];
  std::vector<double> shares;
  double sum = 0;
  for (const double score : scores) {
    shares.push_back(std::exp(score - largest));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

double GroupScore(std::span<const double> members, bool sum_of_two) {
  const auto best =
      LargestOf({members.begin(), members.end()}, sum_of_two && members.size() > 1 ? 2 : 1);
  double score = 0;
  for (const uint32_t member : best) score += members[member];
  return score;
}

// `choice` with the experts of all but the best groups out of reach.
void KeepBestGroups(const RoutingSettings& settings, std::vector<double>& choice) {
  if (settings.kept_groups == settings.groups) return;
  const size_t size = choice.size() / settings.groups;
  std::vector<double> scores;
  for (size_t group = 0; group < settings.groups; ++group) {
    scores.push_back(GroupScore(std::span(choice).subspan(group * size, size),
                                settings.kind == RoutingKind::kSigmoidGroups));
  }
  std::vector<bool> kept(settings.groups, false);
  for (const uint32_t group : LargestOf(scores, settings.kept_groups)) kept[group] = true;
  for (size_t i = 0; i < choice.size(); ++i) {
    if (!kept[i / size]) choice[i] = kNever;
  }
}

// What each expert would count alone.
void ToProbabilities(RoutingKind kind, std::vector<double>& values) {
  if (kind == RoutingKind::kSoftmaxTopK || kind == RoutingKind::kTopTwoByRank) {
    values = Softmax(values);
    return;
  }
  for (double& value : values) {
    if (kind == RoutingKind::kRootSoftplus) {
      value = std::sqrt(value > 30 ? value : std::log1p(std::exp(value)));
    } else {
      value = Logistic(value);
    }
  }
}

std::vector<ExpertShare> Shares(std::span<const double> probabilities,
                                std::span<const uint32_t> chosen, const RoutingSettings& settings) {
  double sum = 0;
  for (const uint32_t expert : chosen) sum += probabilities[expert];
  const double factor = settings.scaling / (settings.normalise ? sum + kSumEpsilon : 1);
  std::vector<ExpertShare> shares;
  for (const uint32_t expert : chosen) {
    shares.push_back(
        {.expert = expert, .weight = static_cast<float>(probabilities[expert] * factor)});
  }
  return shares;
}

// Choose by probability (and correction), weigh by probability.
std::vector<ExpertShare> RouteByProbability(std::span<const double> probabilities,
                                            std::span<const float> correction,
                                            const RoutingSettings& settings) {
  std::vector<double> choice(probabilities.begin(), probabilities.end());
  for (size_t i = 0; i < correction.size(); ++i) choice[i] += correction[i];
  KeepBestGroups(settings, choice);
  return Shares(probabilities, LargestOf(choice, settings.experts_per_token), settings);
}

std::vector<ExpertShare> RouteBySoftmaxOfChosen(std::span<const double> scores,
                                                const RoutingSettings& settings) {
  const auto chosen = LargestOf({scores.begin(), scores.end()}, settings.experts_per_token);
  std::vector<double> chosen_scores;
  for (const uint32_t expert : chosen) chosen_scores.push_back(scores[expert]);
  const auto weights = Softmax(chosen_scores);
  std::vector<ExpertShare> shares;
  for (size_t i = 0; i < chosen.size(); ++i) {
    shares.push_back(
        {.expert = chosen[i], .weight = static_cast<float>(weights[i] * settings.scaling)});
  }
  return shares;
}

std::vector<ExpertShare> RouteByInput(std::span<const double> scores,
                                      const RoutingSettings& settings) {
  std::vector<ExpertShare> shares;
  for (const uint32_t expert :
       LargestOf({scores.begin(), scores.end()}, settings.experts_per_token)) {
    shares.push_back(
        {.expert = expert, .input_factor = static_cast<float>(Logistic(scores[expert]))});
  }
  return shares;
}

// The best expert's share goes to expert 1, that of the second best to expert 0.
std::vector<ExpertShare> RouteByRank(std::span<const double> probabilities,
                                     const RoutingSettings& settings) {
  auto shares = RouteByProbability(probabilities, {}, settings);
  for (size_t rank = 0; rank < shares.size(); ++rank) shares[rank].expert = rank == 0 ? 1 : 0;
  return shares;
}

// Each choice takes the best of what is left and weighs it against the others near it.
std::vector<ExpertShare> RouteSparsely(std::span<const double> scores,
                                       const RoutingSettings& settings) {
  std::vector<double> left(scores.begin(), scores.end());
  std::vector<ExpertShare> shares;
  for (uint32_t choice = 0; choice < settings.experts_per_token; ++choice) {
    const uint32_t best = LargestOf(left, 1).front();
    const double threshold = left[best];
    std::vector<double> near = left;
    for (size_t i = 0; i < near.size(); ++i) {
      const double range = std::max(std::abs(scores[i]), threshold);
      if ((threshold - scores[i]) / range > 2 * settings.jitter) near[i] = kNever;
    }
    shares.push_back({.expert = best, .weight = static_cast<float>(Softmax(near)[best])});
    left[best] = kNever;
  }
  return shares;
}

// What the config and the weights say goes before the table: one architecture's name can stand for
// generations that route differently.
RoutingKind KindOf(const ConfigView& config, std::optional<RoutingKind> kind, bool has_correction) {
  const auto scoring = config.Text(kScoringKeys);
  if (scoring == "sigmoid") return RoutingKind::kSigmoidGroups;
  if (scoring == "sqrtsoftplus") return RoutingKind::kRootSoftplus;
  if (scoring == "softmax") return kind.value_or(RoutingKind::kSoftmaxTopK);
  if (kind == RoutingKind::kTopTwoByRank && !config.IsWrittenSince(4, 57)) {
    return RoutingKind::kSoftmaxTopK;
  }
  // A softmax of the chosen has no place for a correction.
  const bool takes_correction = kind && *kind != RoutingKind::kTopKSoftmax;
  if (has_correction && !takes_correction) return RoutingKind::kSigmoidGroups;
  return kind.value_or(RoutingKind::kSoftmaxTopK);
}

}  // namespace

Result<RoutingSettings> ReadRouting(const ConfigView& config, const RoutingDefaults& defaults,
                                    uint32_t experts, bool has_correction) {
  RoutingSettings settings;
  settings.kind = KindOf(config, defaults.kind, has_correction);
  TG_ASSIGN(const auto stated, StatedNumber(config, kPerTokenKeys));
  uint64_t per_token = stated.value_or(defaults.experts_per_token);
  if (per_token == 0) {
    TG_ASSIGN(per_token, RequireNumber(config, kPerTokenKeys));
  }
  TG_TRY(ReadGroups(config, experts, settings));
  const uint64_t reachable = uint64_t{experts} / settings.groups * settings.kept_groups;
  if (per_token > reachable) {
    return ContradictoryNumber(kPerTokenKeys.front(), per_token,
                               "is more than the experts that can be chosen",
                               fmt::format("at most {}", reachable));
  }
  settings.experts_per_token = static_cast<uint32_t>(per_token);
  const bool by_kind =
      settings.kind == RoutingKind::kSigmoidGroups || settings.kind == RoutingKind::kRootSoftplus;
  settings.normalise =
      config.Flag("norm_topk_prob").value_or(defaults.normalised.value_or(by_kind));
  settings.scaling = config.Real(kScalingKeys).value_or(1);
  // NLLB drops experts in training and makes up for it afterwards.
  settings.scaling *= 1 - config.Real(kDropoutKeys).value_or(0);
  settings.jitter = config.Real(kJitterKeys).value_or(settings.jitter);
  return settings;
}

std::vector<ExpertShare> RouteToChosen(std::span<const float> scores,
                                       std::span<const uint32_t> chosen,
                                       const RoutingSettings& settings) {
  std::vector<double> values(scores.begin(), scores.end());
  ToProbabilities(settings.kind, values);
  return Shares(values, chosen, settings);
}

std::vector<ExpertShare> RouteToken(std::span<const float> scores,
                                    std::span<const float> correction,
                                    const RoutingSettings& settings) {
  std::vector<double> values(scores.begin(), scores.end());
  switch (settings.kind) {
    case RoutingKind::kSoftmaxTopK:
    case RoutingKind::kSigmoidGroups:
    case RoutingKind::kRootSoftplus:
      ToProbabilities(settings.kind, values);
      return RouteByProbability(values, correction, settings);
    case RoutingKind::kTopTwoByRank:
      ToProbabilities(settings.kind, values);
      return RouteByRank(values, settings);
    case RoutingKind::kTopKSoftmax:
      return RouteBySoftmaxOfChosen(values, settings);
    case RoutingKind::kSigmoidInput:
      return RouteByInput(values, settings);
    case RoutingKind::kSparseMixer:
      return RouteSparsely(values, settings);
  }
  return {};
}

}  // namespace tensorguard::internal
