#include "comparison/weight_pairs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

std::map<LayerPlace, size_t> LayerPlaces(const Fingerprint& fingerprint) {
  std::map<LayerPlace, size_t> places;
  for (size_t i = 0; i < fingerprint.layers.size(); ++i) {
    places.emplace(LayerPlace(fingerprint.layers[i].stack, fingerprint.layers[i].index), i);
  }
  return places;
}

// What a weight is for, but for its expert. `occurrence` counts weights of which all the rest is
// equal: a mixer has several.
struct Part {
  std::string stack;
  std::optional<uint32_t> layer;
  Role role = Role::kOther;
  bool is_bias = false;
  bool is_vector = false;
  bool shared_expert = false;
  bool cross_attention = false;
  size_t occurrence = 0;

  auto Key() const {
    return std::tie(stack, layer, role, is_bias, is_vector, shared_expert, cross_attention,
                    occurrence);
  }
  bool operator<(const Part& other) const { return Key() < other.Key(); }
};

struct PlacedWeight {
  Part part;
  std::optional<uint32_t> expert;
};

std::vector<PlacedWeight> PlaceWeights(const Fingerprint& fingerprint) {
  std::map<std::pair<Part, std::optional<uint32_t>>, size_t> seen;
  std::vector<PlacedWeight> placed;
  for (const WeightSummary& weight : fingerprint.weights) {
    const TensorRole& role = weight.role;
    Part part{.stack = role.stack,
              .layer = role.layer,
              .role = role.role,
              .is_bias = role.is_bias,
              .is_vector = weight.is_vector,
              .shared_expert = role.shared_expert,
              .cross_attention = role.cross_attention};
    part.occurrence = seen[{part, role.expert}]++;
    placed.push_back({.part = part, .expert = role.expert});
  }
  return placed;
}

// The part in b that `part` of a corresponds to; empty if its layer has none.
std::optional<Part> PartInB(Part part, const Fingerprint& b,
                            const std::map<LayerPlace, size_t>& places_a, const LayerMap& layers) {
  if (!part.layer) return part;
  const auto place = places_a.find({part.stack, *part.layer});
  if (place == places_a.end()) return part;
  const auto target = layers.find(place->second);
  if (target == layers.end()) return std::nullopt;
  part.stack = b.layers[target->second].stack;
  part.layer = b.layers[target->second].index;
  return part;
}

}  // namespace

LayerMap LayersByIndex(const Fingerprint& a, const Fingerprint& b) {
  const auto places = LayerPlaces(b);
  LayerMap layers;
  for (size_t i = 0; i < a.layers.size(); ++i) {
    const auto found = places.find({a.layers[i].stack, a.layers[i].index});
    if (found != places.end()) layers.emplace(i, found->second);
  }
  return layers;
}

std::vector<WeightPair> PairWeights(const Fingerprint& a, const Fingerprint& b,
                                    const LayerMap& layers) {
  std::map<Part, std::map<std::optional<uint32_t>, size_t>> in_b;  // by part, then expert
  const auto placed_b = PlaceWeights(b);
  for (size_t i = 0; i < placed_b.size(); ++i) in_b[placed_b[i].part][placed_b[i].expert] = i;

  const auto places_a = LayerPlaces(a);
  const auto placed_a = PlaceWeights(a);
  std::vector<WeightPair> pairs;
  for (size_t i = 0; i < placed_a.size(); ++i) {
    const auto part = PartInB(placed_a[i].part, b, places_a, layers);
    if (!part) continue;
    const auto found = in_b.find(*part);
    if (found == in_b.end()) continue;
    for (const auto& [expert, index] : found->second) {
      const bool dense_with_expert = expert.has_value() != placed_a[i].expert.has_value();
      if (expert == placed_a[i].expert || dense_with_expert) {
        pairs.push_back({.in_a = i, .in_b = index});
      }
    }
  }
  return pairs;
}

bool SameShape(const WeightSummary& a, const WeightSummary& b) {
  return a.is_vector == b.is_vector && a.rows == b.rows && a.columns == b.columns;
}

}  // namespace tensorguard::internal
