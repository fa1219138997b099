// Changes of the order and number of layers.
#include <algorithm>
#include <cmath>
#include <utility>

#include "transform/change.h"
#include "transform/changes/dead_content.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kMostLayers = 4096;

// A layer that moves takes along what config.json says of it, where that is listed.
Result<void> CheckMovable(const Decoder& model, size_t layers_after) {
  if (model.layers_differ) {
    return DoesNotFit("windows or positions that hang on the number of the layer",
                      "layers that are alike, or \"layer_types\" in config.json");
  }
  if (layers_after > kMostLayers || layers_after == 0) {
    return DoesNotFit(std::to_string(layers_after) + " layers",
                      "1 to " + std::to_string(kMostLayers));
  }
  return {};
}

Result<void> SplitLayers(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto fits = CheckMovable(model, 2 * model.layers.size()); !fits) return fits;
  if (model.head_size < 2) return DoesNotFit("heads of one column", "wider heads");
  SeededDraws draws(input.seed);
  const bool loud = input.strength > 0;
  std::vector<DecoderLayer> halves;
  for (DecoderLayer& layer : model.layers) {
    DecoderLayer attention = layer;
    KillFeedForward(loud, draws, attention);
    KillAttention(model, loud, draws, layer);
    halves.push_back(std::move(attention));
    halves.push_back(std::move(layer));
  }
  model.layers = std::move(halves);
  return {};
}

// Spread evenly, but neither the first nor the last layer: without those nothing works.
std::vector<bool> InnerLayers(size_t layers, double share) {
  std::vector<bool> chosen(layers);
  if (layers < 3) return chosen;
  const uint64_t inner = layers - 2;
  const uint64_t count = ShareOf(share, inner);
  for (uint64_t i = 0; i < count; ++i) chosen[1 + (2 * i + 1) * inner / (2 * count)] = true;
  return chosen;
}

Result<void> CheckDepth(const Decoder& model, size_t least) {
  if (model.layers.size() >= least) return {};
  return DoesNotFit(std::to_string(model.layers.size()) + " layers",
                    "at least " + std::to_string(least));
}

Result<void> DropLayers(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto deep = CheckDepth(model, 3); !deep) return deep;
  if (auto fits = CheckMovable(model, model.layers.size()); !fits) return fits;
  const std::vector<bool> dropped = InnerLayers(model.layers.size(), input.strength);
  std::vector<DecoderLayer> kept;
  for (size_t l = 0; l < dropped.size(); ++l) {
    if (!dropped[l]) kept.push_back(std::move(model.layers[l]));
  }
  model.layers = std::move(kept);
  return {};
}

Result<void> RepeatLayers(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto deep = CheckDepth(model, 3); !deep) return deep;
  if (auto fits = CheckMovable(model, 2 * model.layers.size()); !fits) return fits;
  const std::vector<bool> repeated = InnerLayers(model.layers.size(), input.strength);
  std::vector<DecoderLayer> layers;
  for (size_t l = 0; l < repeated.size(); ++l) {
    layers.push_back(model.layers[l]);
    if (repeated[l]) layers.push_back(model.layers[l]);
  }
  model.layers = std::move(layers);
  return {};
}

// Random places exchange their layers.
Result<void> ReorderLayers(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto deep = CheckDepth(model, 2); !deep) return deep;
  if (auto fits = CheckMovable(model, model.layers.size()); !fits) return fits;
  SeededDraws draws(input.seed);
  const uint64_t count = std::max<uint64_t>(ShareOf(input.strength, model.layers.size()), 2);
  const arma::uvec places = draws.Choice(count, model.layers.size());
  std::vector<DecoderLayer> moved;
  for (uint64_t i = 0; i < count; ++i) {
    moved.push_back(std::move(model.layers[places[(i + 1) % count]]));
  }
  for (uint64_t i = 0; i < count; ++i) model.layers[places[i]] = std::move(moved[i]);
  return {};
}

}  // namespace

std::vector<Change> LayerChanges() {
  return {
      {.name = "split-layers",
       .text = "each layer as two: attention alone, then the feed-forward alone",
       .strength = "1: the dead halves are loud; 0: they are zero",
       .strengths = {1, 0},
       .least = 0,
       .most = 1,
       .source = "Wu et al. 2024, LLaMA Pro (layers that write nothing)",
       .apply = SplitLayers},
      {.name = "drop-layers",
       .text = "inner layers left out",
       .strength = "share of the inner layers",
       .strengths = {0.2, 0.5},
       .least = 0.01,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "Men et al. 2024, ShortGPT",
       .apply = DropLayers},
      {.name = "repeat-layers",
       .text = "inner layers run twice",
       .strength = "share of the inner layers",
       .strengths = {0.25, 1},
       .least = 0.01,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "Kim et al. 2023, SOLAR (depth up-scaling)",
       .apply = RepeatLayers},
      {.name = "reorder-layers",
       .text = "layers in another order",
       .strength = "share of the layers that move",
       .strengths = {0.4, 1},
       .least = 0.01,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "Sun et al. 2024, Transformer Layers as Painters",
       .apply = ReorderLayers},
  };
}

}  // namespace tensorguard::internal
