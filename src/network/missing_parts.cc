#include "network/missing_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "architecture/config_view.h"
#include "network/network_parts.h"

namespace tensorguard::internal {
namespace {

// What the matrices of a layer are for. A layer has one mixer; a few models run two side by side.
enum class Half { kAttention, kRecurrent, kDense, kExperts };

std::string_view HalfName(Half half) {
  switch (half) {
    case Half::kAttention:
      return "attention";
    case Half::kRecurrent:
      return "recurrent mixer";
    case Half::kDense:
      return "feed-forward";
    case Half::kExperts:
      return "experts";
  }
  return {};
}

std::optional<Half> HalfOf(const TensorRole& role) {
  switch (role.role) {
    case Role::kQuery:
    case Role::kKey:
    case Role::kValue:
    case Role::kQueryKeyValue:
    case Role::kKeyValue:
    case Role::kOutputProjection:
    case Role::kQueryDown:
    case Role::kQueryUp:
    case Role::kKeyValueDown:
    case Role::kKeyValueUp:
      return Half::kAttention;
    case Role::kMixer:
      return Half::kRecurrent;
    case Role::kGate:
    case Role::kUp:
    case Role::kDown:
    case Role::kGateUp:
      return role.expert || role.shared_expert ? Half::kExperts : Half::kDense;
    case Role::kRouter:
      return Half::kExperts;
    default:
      return {};
  }
}

// One matrix of a half, whichever layer it is in. Routed experts count together.
struct MatrixKey {
  Role role = Role::kOther;
  bool cross_attention = false;
  bool shared_expert = false;
  std::string module = {};  // of a recurrent mixer, whose matrices have one role

  auto operator<=>(const MatrixKey&) const = default;
};

std::string Describe(const MatrixKey& key) {
  if (!key.module.empty()) return key.module;
  std::string text(RoleName(key.role));
  std::replace(text.begin(), text.end(), '_', ' ');
  if (key.shared_expert) text += " of the shared expert";
  if (key.cross_attention) text += " of the cross-attention";
  return text;
}

struct FoundMatrix {
  uint64_t count = 0;
  uint64_t elements = 0;
};

struct FoundLayer {
  std::map<Half, std::map<MatrixKey, FoundMatrix>> halves;
  uint64_t elements = 0;
  std::string kind;  // what lists of the config say of this layer
};

// The words of a name behind the last number, without the last one: "mixer.in_proj".
std::string ModuleOf(const std::string& name) {
  const size_t digit = name.find_last_of("0123456789");
  const size_t begin = name.find('.', digit == std::string::npos ? 0 : digit);
  const size_t end = name.rfind('.');
  if (begin == std::string::npos || end <= begin) return name;
  return name.substr(begin + 1, end - begin - 1);
}

// Lists with an entry for each layer, wherever they stand in the config.
void CollectLists(const Json& config, size_t layers, unsigned depth,
                  std::vector<const Json*>& lists) {
  constexpr unsigned kDeepest = 3;
  if (!config.is_object() || depth > kDeepest) return;
  for (const Json& value : config) {
    if (value.is_array() && value.size() == layers) lists.push_back(&value);
    CollectLists(value, layers, depth + 1, lists);
  }
}

// One letter for each layer: Nemotron-H's "hybrid_override_pattern".
void CollectPatterns(const Json& config, size_t layers, std::vector<std::string>& patterns) {
  if (!config.is_object()) return;
  for (const auto& [key, value] : config.items()) {
    if (key.find("pattern") == std::string::npos || !value.is_string()) continue;
    auto text = value.get<std::string>();
    if (text.size() == layers) patterns.push_back(std::move(text));
  }
}

using FoundLayers = std::map<uint32_t, FoundLayer>;

FoundLayers LayersOf(const Stack& stack, const Json& config, size_t count) {
  std::vector<const Json*> lists;
  std::vector<std::string> patterns;
  CollectLists(config, count, 0, lists);
  CollectPatterns(config, count, patterns);
  FoundLayers found;
  for (const Layer& layer : stack.layers) {
    const uint32_t index = layer.description.index;
    FoundLayer& of = found[index];
    for (const Weight* weight : layer.parts.weights()) {
      of.elements += weight->rows * weight->columns;
      const auto half = HalfOf(weight->role);
      if (!half || weight->is_vector || weight->role.is_bias) continue;
      MatrixKey key{.role = weight->role.role,
                    .cross_attention = weight->role.cross_attention,
                    .shared_expert = weight->role.shared_expert};
      if (*half == Half::kRecurrent) key.module = ModuleOf(layer.parts.NameOf(*weight));
      FoundMatrix& matrix = of.halves[*half][key];
      ++matrix.count;
      matrix.elements += weight->rows * weight->columns;
    }
    for (const Json* list : lists) {
      if (index < list->size()) of.kind += (*list)[index].dump() + "\n";
    }
    for (const std::string& pattern : patterns) {
      if (index < pattern.size()) of.kind += pattern[index];
    }
  }
  return found;
}

std::string InStack(const Stack& stack) {
  return stack.context.name.empty() ? std::string() : " of the " + stack.context.name;
}

std::string LayerText(const std::vector<uint32_t>& layers) {
  return fmt::format("layer{} {}", layers.size() == 1 ? "" : "s", NumberRanges(layers));
}

// DeciLM lists layers that do nothing and are not stored.
bool IsStatedEmpty(const Json& config, uint32_t layer) {
  const auto blocks = config.is_object() ? config.find("block_configs") : config.end();
  if (!config.is_object() || blocks == config.end() || !blocks->is_array()) return false;
  if (layer >= blocks->size()) return false;
  const Json& block = (*blocks)[layer];
  const auto does_nothing = [&](const char* half) {
    if (!block.is_object() || !block.contains(half) || !block[half].is_object()) return false;
    const auto no_op = block[half].find("no_op");
    return no_op != block[half].end() && no_op->is_boolean() && no_op->get<bool>();
  };
  return does_nothing("attention") && does_nothing("ffn");
}

// Layers that predict further tokens are counted by some configs and kept in a stack of their own.
size_t FurtherLayers(const Network& network) {
  std::set<uint32_t> layers;
  for (const Weight& weight : network.weights()) {
    if (weight.role.stack == "mtp") layers.insert(weight.role.layer.value_or(0));
  }
  return layers.size();
}

void FindMissingLayers(const Json& config, const Network& network, const Stack& stack,
                       const FoundLayers& found, uint64_t stated,
                       std::vector<MissingPart>& missing) {
  if (found.empty()) return;
  const uint64_t end = uint64_t{found.rbegin()->first} + 1;
  const bool all_stated = stated == found.size();  // however they are numbered
  std::vector<uint32_t> absent;
  uint64_t between = 0;
  constexpr size_t kMostNamed = 10'000;
  for (uint64_t layer = 0; layer < std::max(end, stated) && absent.size() < kMostNamed; ++layer) {
    const auto index = static_cast<uint32_t>(layer);
    if (found.contains(index) || IsStatedEmpty(config, index)) continue;
    absent.push_back(index);
    between += layer < end ? 1 : 0;
  }
  if (absent.empty() || all_stated) return;
  if (between == 0 && absent.size() <= FurtherLayers(network)) return;
  uint64_t elements = 0;
  for (const auto& [index, layer] : found) elements += layer.elements;
  missing.push_back({.what = LayerText(absent) + InStack(stack),
                     .found = fmt::format("{} layer{}", found.size(), found.size() == 1 ? "" : "s"),
                     .expected = stated > 0 ? fmt::format("{}, by the config", stated)
                                            : "those between the layers that are there",
                     .parameters = elements / found.size() * absent.size()});
}

// Keys and values of the last layers may be those of a layer before (Gemma 3n).
bool IsStatedShared(const ConfigView& config, const MatrixKey& key, uint32_t layer,
                    uint64_t layers) {
  if (key.role != Role::kKey && key.role != Role::kValue) return false;
  const auto shared = config.Number(std::array{std::string_view("num_kv_shared_layers")});
  return shared && layer + *shared >= layers;
}

struct HalfGroup {
  Half half;
  std::vector<std::pair<uint32_t, const std::map<MatrixKey, FoundMatrix>*>> layers;
};

// A matrix that fewer than half of the layers lack, or of which some have fewer experts.
void FindMissingMatrices(const Stack& stack, const HalfGroup& group, uint64_t layers,
                         std::vector<MissingPart>& missing) {
  std::map<MatrixKey, FoundMatrix> most;
  for (const auto& [index, matrices] : group.layers) {
    for (const auto& [key, matrix] : *matrices) {
      FoundMatrix& of = most[key];
      if (matrix.count > of.count) of = matrix;
    }
  }
  for (const auto& [key, matrix] : most) {
    std::vector<uint32_t> lacking;
    for (const auto& [index, matrices] : group.layers) {
      if (matrices->contains(key)) continue;
      if (IsStatedShared(stack.context.config, key, index, layers)) continue;
      lacking.push_back(index);
    }
    if (lacking.empty() || 2 * lacking.size() >= group.layers.size()) continue;
    missing.push_back(
        {.what = fmt::format("{} of {}{}", Describe(key), LayerText(lacking), InStack(stack)),
         .found = fmt::format("{} without it", HalfName(group.half)),
         .expected = "as in the other layers of that kind",
         .parameters = matrix.elements * lacking.size()});
  }
}

// Of one layer's routed experts each must have all matrices that the others have.
void FindMissingExperts(const Stack& stack, const FoundLayers& found,
                        std::vector<MissingPart>& missing) {
  for (const auto& [index, layer] : found) {
    const auto experts = layer.halves.find(Half::kExperts);
    if (experts == layer.halves.end()) continue;
    uint64_t most = 0;
    for (const auto& [key, matrix] : experts->second) {
      if (key.role != Role::kRouter && !key.shared_expert) most = std::max(most, matrix.count);
    }
    for (const auto& [key, matrix] : experts->second) {
      if (key.role == Role::kRouter || key.shared_expert || matrix.count == most) continue;
      missing.push_back({.what = fmt::format("{} of {} experts of layer {}{}", Describe(key),
                                             most - matrix.count, index, InStack(stack)),
                         .found = fmt::format("{} of {}", matrix.count, Describe(key)),
                         .expected = fmt::format("{}, one for each expert", most),
                         .parameters = matrix.elements / matrix.count * (most - matrix.count)});
    }
  }
}

bool HasMixer(const FoundLayer& layer) {
  return layer.halves.contains(Half::kAttention) || layer.halves.contains(Half::kRecurrent);
}

bool HasFeedForward(const FoundLayer& layer) {
  return layer.halves.contains(Half::kDense) || layer.halves.contains(Half::kExperts);
}

// Whole halves that a few layers lack, and that no list of the config sets apart.
void FindMissingHalves(const Stack& stack, const FoundLayers& found, bool (*has)(const FoundLayer&),
                       std::string_view half, std::vector<MissingPart>& missing) {
  std::set<std::string> kinds_with;
  for (const auto& [index, layer] : found) {
    if (has(layer)) kinds_with.insert(layer.kind);
  }
  std::vector<uint32_t> lacking;
  for (const auto& [index, layer] : found) {
    if (!has(layer) && kinds_with.contains(layer.kind)) lacking.push_back(index);
  }
  if (lacking.empty() || 2 * lacking.size() >= found.size()) return;
  uint64_t elements = 0;
  for (const auto& [index, layer] : found) elements = std::max(elements, layer.elements);
  const uint64_t own = found.at(lacking.front()).elements;
  missing.push_back({.what = fmt::format("{} of {}{}", half, LayerText(lacking), InStack(stack)),
                     .found = "layers without it",
                     .expected = "as in the other layers",
                     .parameters = (elements - std::min(elements, own)) * lacking.size()});
}

// A known architecture with attention in every row of the table has both halves.
void FindMissingEverywhere(const Stack& stack, const FoundLayers& found,
                           std::vector<MissingPart>& missing) {
  if (stack.context.is_guess || stack.layers.empty()) return;
  uint64_t elements = 0;  // as many as the half that is there, for want of another measure
  for (const auto& [index, layer] : found) elements += layer.elements;
  bool attends = false;
  bool mixes = false;
  bool feeds = false;
  for (const Layer& layer : stack.layers) {
    attends |= layer.attention.has_value();
    mixes |= layer.description.mixer != MixerKind::kNone;
    feeds |= layer.description.has_feed_forward;
  }
  if (attends && !feeds) {
    missing.push_back({.what = "the feed-forward of every layer" + InStack(stack),
                       .found = "layers of attention alone",
                       .expected = "both halves of each layer",
                       .parameters = elements});
  }
  if (!mixes && feeds && !stack.context.traits->fourier_mixing) {
    missing.push_back({.what = "the attention of every layer" + InStack(stack),
                       .found = "layers of feed-forwards alone",
                       .expected = "both halves of each layer",
                       .parameters = elements});
  }
}

// A vector that could be it under a name that is not known.
bool HasUnplacedVector(const Network& network, const Stack& stack) {
  const auto& weights = network.weights();
  return std::any_of(weights.begin(), weights.end(), [&](const Weight& weight) {
    const TensorRole& role = weight.role;
    const bool own = role.stack.empty() || role.stack == stack.context.name;
    return own && !role.layer && weight.is_vector && weight.rows == stack.context.hidden_size &&
           (role.role == Role::kOther || role.role == Role::kNorm || role.role == Role::kTaskHead);
  });
}

void FindMissingFinalNorm(const Network& network, const Stack& stack,
                          std::vector<MissingPart>& missing) {
  if (stack.layers.empty()) return;
  const LayerNorms& norms = stack.layers.back().norms;
  if (!norms.mixer_input || norms.feed_forward_sum || stack.final_norm) return;
  if (HasUnplacedVector(network, stack)) return;
  missing.push_back({.what = "the final norm" + InStack(stack),
                     .found = "no vector behind the layers",
                     .expected = "a norm, as in front of both halves of each layer",
                     .parameters = stack.context.hidden_size});
}

}  // namespace

std::string NumberRanges(const std::vector<uint32_t>& numbers) {
  std::string text;
  for (size_t first = 0; first < numbers.size();) {
    size_t last = first;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ", ";
    text += std::to_string(numbers[first]);
    if (last > first) text += fmt::format("-{}", numbers[last]);
    first = last + 1;
  }
  return text;
}

std::vector<MissingPart> FindMissingParts(const Json& config, const Network& network) {
  std::vector<MissingPart> missing;
  for (const Stack& stack : network.parts().stacks) {
    const bool repeats = stack.context.traits->layers_repeat;
    const uint64_t stated = repeats ? 0 : stack.context.config.Layers().value_or(0);
    const FoundLayers found = LayersOf(stack, config, stated > 0 ? stated : stack.layers.size());
    FindMissingLayers(config, network, stack, found, stated, missing);
    std::map<std::pair<Half, std::string>, HalfGroup> groups;
    for (const auto& [index, layer] : found) {
      for (const auto& [half, matrices] : layer.halves) {
        HalfGroup& group = groups[{half, layer.kind}];
        group.half = half;
        group.layers.emplace_back(index, &matrices);
      }
    }
    for (const auto& [key, group] : groups) {
      FindMissingMatrices(stack, group, std::max<uint64_t>(stated, found.size()), missing);
    }
    FindMissingExperts(stack, found, missing);
    FindMissingHalves(stack, found, HasMixer, "the attention", missing);
    FindMissingHalves(stack, found, HasFeedForward, "the feed-forward", missing);
    FindMissingEverywhere(stack, found, missing);
    FindMissingFinalNorm(network, stack, missing);
  }
  return missing;
}

}  // namespace tensorguard::internal
