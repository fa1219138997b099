#include "profile/reading_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

enum class Part { kQueryKey, kOutputValue, kFeedForward };
constexpr size_t kParts = 3;

uint64_t StoredBytes(const Network& network, const Weight& weight, uint64_t rows) {
  const TensorInfo& tensor = network.source().tensors()[weight.tensor_index];
  const double share = static_cast<double>(rows) * static_cast<double>(weight.columns) /
                       static_cast<double>(std::max<uint64_t>(1, tensor.element_count));
  return static_cast<uint64_t>(share * static_cast<double>(tensor.stored_bytes));
}

// Which kernels multiply with a weight of this role.
std::vector<Part> PartsOf(Role role) {
  switch (role) {
    case Role::kQuery:
    case Role::kKey:
    case Role::kQueryDown:
    case Role::kQueryUp:
      return {Part::kQueryKey};
    case Role::kKeyValueDown:
    case Role::kKeyValueUp:
    case Role::kKeyValue:
    case Role::kQueryKeyValue:
      return {Part::kQueryKey, Part::kOutputValue};
    case Role::kValue:
    case Role::kOutputProjection:
    case Role::kAttentionGate:
    case Role::kMixer:
      return {Part::kOutputValue};
    case Role::kGate:
    case Role::kUp:
    case Role::kDown:
    case Role::kGateUp:
    case Role::kRouter:
      return {Part::kFeedForward};
    default:
      return {};
  }
}

struct PartWeights {
  Part part = Part::kQueryKey;
  uint64_t bytes = 0;
  std::vector<size_t> weights;  // in Network::weights()
};

struct LayerWeights {
  std::array<PartWeights, kParts> parts;  // cheapest first
  std::vector<size_t> vectors;            // gains and biases
  std::vector<size_t> matrices;
};

std::vector<LayerWeights> WeightsByLayer(const Network& network) {
  const auto& layers = network.description().layers;
  std::map<LayerPlace, size_t> places;
  for (size_t i = 0; i < layers.size(); ++i) places[{layers[i].stack, layers[i].index}] = i;
  std::vector<LayerWeights> found(layers.size());
  for (size_t i = 0; i < network.weights().size(); ++i) {
    const Weight& weight = network.weights()[i];
    if (!weight.role.layer) continue;
    const auto place = places.find({weight.role.stack, *weight.role.layer});
    if (place == places.end()) continue;
    LayerWeights& layer = found[place->second];
    (weight.is_vector ? layer.vectors : layer.matrices).push_back(i);
    for (const Part part : PartsOf(weight.role.role)) {
      PartWeights& of = layer.parts[static_cast<size_t>(part)];
      of.weights.push_back(i);
      of.bytes += StoredBytes(network, weight, weight.rows);
    }
  }
  for (LayerWeights& layer : found) {
    for (size_t i = 0; i < kParts; ++i) layer.parts[i].part = static_cast<Part>(i);
    std::stable_sort(layer.parts.begin(), layer.parts.end(),
                     [](const PartWeights& a, const PartWeights& b) { return a.bytes < b.bytes; });
  }
  return found;
}

// 0, n - 1, 1, n - 2, ...
std::vector<size_t> FromBothEnds(size_t count) {
  std::vector<size_t> order;
  for (size_t i = 0; i < (count + 1) / 2; ++i) {
    order.push_back(i);
    if (count - 1 - i != i) order.push_back(count - 1 - i);
  }
  return order;
}

bool IsAnswered(const LayerDescription& layer, Part part) {
  switch (part) {
    case Part::kQueryKey:
      return layer.mixer == MixerKind::kAttention;
    case Part::kOutputValue:
      return layer.mixer != MixerKind::kNone;
    case Part::kFeedForward:
      break;
  }
  return layer.has_feed_forward;
}

bool& FlagOf(AskedParts& parts, Part part) {
  if (part == Part::kQueryKey) return parts.query_key;
  return part == Part::kOutputValue ? parts.output_value : parts.feed_forward;
}

// The rows of the anchors in the embedding, and in the head if it has its own.
uint64_t AnchorBytes(const Network& network, size_t anchors) {
  uint64_t bytes = 0;
  for (const Weight& weight : network.weights()) {
    const bool table = weight.role.role == Role::kEmbedding ||
                       (weight.role.role == Role::kOutputHead && !network.description().tied_head);
    if (table && !weight.is_vector) {
      bytes += StoredBytes(network, weight, std::min<uint64_t>(anchors, weight.rows));
    }
  }
  return bytes;
}

class Planner {
 public:
  Planner(const Network& network, uint64_t budget_bytes)
      : network_(network), budget_bytes_(budget_bytes), layers_(WeightsByLayer(network)) {
    plan_.layers.resize(layers_.size(), {false, false, false});
    plan_.weights.resize(network.weights().size());
  }

  bool TakeBytes(uint64_t bytes) {
    if (bytes > budget_bytes_ - plan_.bytes) return false;
    plan_.bytes += bytes;
    return true;
  }

  void TakeKernels(size_t layer) {
    for (const PartWeights& part : layers_[layer].parts) {
      if (!IsAnswered(network_.description().layers[layer], part.part)) continue;
      if (!TakeAll(part.weights)) continue;
      FlagOf(plan_.layers[layer], part.part) = true;
      TakeAll(layers_[layer].vectors);
    }
  }

  void TakeMatrices(size_t layer) {
    for (const size_t matrix : layers_[layer].matrices) TakeAll({matrix});
  }

  ReadingPlan Take() { return std::move(plan_); }

 private:
  // All that are not taken yet, or none.
  bool TakeAll(const std::vector<size_t>& weights) {
    uint64_t bytes = 0;
    for (const size_t i : weights) {
      if (!plan_.weights[i]) bytes += StoredBytes(network_, network_.weights()[i], RowsOf(i));
    }
    if (!TakeBytes(bytes)) return false;
    for (const size_t i : weights) plan_.weights[i] = true;
    return true;
  }

  uint64_t RowsOf(size_t weight) const { return network_.weights()[weight].rows; }

  const Network& network_;
  uint64_t budget_bytes_;
  std::vector<LayerWeights> layers_;
  ReadingPlan plan_;
};

}  // namespace

ReadingPlan PlanOfAll(const Network& network) {
  ReadingPlan plan;
  plan.layers.resize(network.description().layers.size());
  plan.weights.assign(network.weights().size(), true);
  for (const TensorInfo& tensor : network.source().tensors()) plan.bytes += tensor.stored_bytes;
  return plan;
}

Result<ReadingPlan> PlanWithin(const Network& network, size_t anchors, uint64_t budget_bytes) {
  Planner planner(network, budget_bytes);
  const uint64_t anchor_bytes = AnchorBytes(network, anchors);
  if (!planner.TakeBytes(anchor_bytes)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "the budget does not even hold the anchors' rows of the embedding",
                 .found = fmt::format("{} bytes", budget_bytes),
                 .expected = fmt::format("{} bytes or more", anchor_bytes)};
  }
  const std::vector<size_t> order = FromBothEnds(network.description().layers.size());
  for (const size_t layer : order) planner.TakeKernels(layer);
  for (const size_t layer : order) planner.TakeMatrices(layer);
  return planner.Take();
}

}  // namespace tensorguard::internal
