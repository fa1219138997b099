#include "api/inspection/parts_of_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tensorguard::internal {
namespace {

constexpr const char* kMainName = "model";

struct Tally {
  InspectedPart part;
  uint64_t named = 0;
  std::set<uint32_t> layers;
};

// Several copies of one half make a hybrid's layer no second layer.
void CountComputed(const Network& network, std::map<std::string, Tally>& tallies) {
  for (const LayerDescription& layer : network.description().layers) {
    const auto tally = tallies.find(layer.stack);
    if (tally == tallies.end()) continue;
    tally->second.part.mixers += layer.mixer != MixerKind::kNone ? 1 : 0;
    tally->second.part.feed_forwards += layer.has_feed_forward ? 1 : 0;
  }
}

std::string Of(uint64_t computed, uint64_t layers) {
  if (computed == layers) return fmt::format("{} layer{}", layers, layers == 1 ? "" : "s");
  return fmt::format("{} of {} layers", computed, layers);
}

}  // namespace

std::vector<InspectedPart> PartsOfModel(const Model& model, const Network* network) {
  std::map<std::string, Tally> tallies;
  uint64_t all = 0;
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const TensorRole& role = model.architecture.roles[i];
    if (role.role == Role::kBuffer) continue;
    Tally& tally = tallies[role.stack];
    const uint64_t elements = model.weights->tensors()[i].element_count;
    tally.part.parameters += elements;
    all += elements;
    if (role.role != Role::kOther && role.role != Role::kModality) tally.named += elements;
    if (role.layer) tally.layers.insert(*role.layer);
  }
  if (network != nullptr) CountComputed(*network, tallies);
  std::vector<InspectedPart> parts;
  for (auto& [stack, tally] : tallies) {
    InspectedPart part = std::move(tally.part);
    part.name = stack.empty() ? kMainName : stack;
    part.layers = tally.layers.size();
    const auto own = static_cast<double>(std::max<uint64_t>(1, part.parameters));
    part.named_share = static_cast<double>(tally.named) / own;
    part.share =
        static_cast<double>(part.parameters) / static_cast<double>(std::max<uint64_t>(1, all));
    parts.push_back(std::move(part));
  }
  std::stable_sort(parts.begin(), parts.end(), [](const InspectedPart& a, const InspectedPart& b) {
    return a.parameters > b.parameters;
  });
  return parts;
}

std::string UnderstoodText(const InspectedPart& part) {
  if (part.mixers == 0 && part.feed_forwards == 0) return "weights alone";
  if (part.mixers == part.feed_forwards) {
    return "attention and feed-forward of " + Of(part.mixers, part.layers);
  }
  return fmt::format("attention of {}, feed-forward of {}", Of(part.mixers, part.layers),
                     Of(part.feed_forwards, part.layers));
}

}  // namespace tensorguard::internal
