#include "independence/units/mixer_units.h"

#include <algorithm>
#include <vector>

namespace tensorguard::internal {
namespace {

std::vector<const Weight*> MixerMatrices(const Network& network, const LayerDescription& layer) {
  std::vector<const Weight*> matrices;
  for (const Weight& weight : network.weights()) {
    const TensorRole& role = weight.role;
    const bool is_here = role.layer == layer.index && role.stack == layer.stack;
    if (is_here && role.role == Role::kMixer && !weight.is_vector && !role.is_bias) {
      matrices.push_back(&weight);
    }
  }
  return matrices;
}

// Rows [first, first + count) of a weight. REQUIRES: they exist.
Weight RowsOf(const Weight& weight, uint64_t first, uint64_t count) {
  Weight part = weight;
  part.rows = count;
  part.runs.clear();
  for (const RowRun& run : weight.runs) {
    const uint64_t skipped = std::min(first, run.count);
    const uint64_t taken = std::min(count, run.count - skipped);
    if (taken > 0) {
      part.runs.push_back(
          {.first = run.first + skipped * run.step, .count = taken, .step = run.step});
    }
    first -= skipped;
    count -= taken;
  }
  return part;
}

}  // namespace

std::optional<FeedForwardBlock> MixerBlock(const Network& network, size_t layer) {
  const LayerDescription& description = network.description().layers[layer];
  if (description.mixer != MixerKind::kRecurrent) return {};
  const uint64_t hidden = network.description().hidden_size;
  std::optional<FeedForwardBlock> block;
  for (const Weight* output : MixerMatrices(network, description)) {
    if (output->rows != hidden || output->columns < 2) continue;
    const uint64_t channels = output->columns;
    for (const Weight* input : MixerMatrices(network, description)) {
      if (input->columns != hidden || input->rows / 2 < channels) continue;
      if (block) return {};  // more than one way to read the shapes
      block = FeedForwardBlock{.layer = layer,
                               .gate = RowsOf(*input, 0, channels),
                               .up = RowsOf(*input, channels, channels),
                               .down = *output,
                               .is_mixer = true};
    }
  }
  return block;
}

}  // namespace tensorguard::internal
