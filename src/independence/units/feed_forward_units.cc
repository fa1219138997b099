#include "independence/units/feed_forward_units.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/try.h"
#include "independence/statistics/unit_similarity.h"
#include "independence/stream/input_norm.h"
#include "independence/units/mixer_units.h"

namespace tensorguard::internal {
namespace {

// Where a block's weights belong: stack, layer, and which expert (-1 the dense or shared one).
using BlockKey = std::tuple<std::string, uint32_t, int64_t>;

struct BlockWeights {
  const Weight* gate = nullptr;
  const Weight* up = nullptr;
  const Weight* down = nullptr;
};

bool IsFeedForwardMatrix(const Weight& weight) {
  const TensorRole& role = weight.role;
  if (weight.is_vector || role.is_bias || !role.layer || role.stacked_experts) return false;
  return role.role == Role::kGate || role.role == Role::kUp || role.role == Role::kDown;
}

std::map<BlockKey, BlockWeights> GroupWeights(const Network& network) {
  std::map<BlockKey, BlockWeights> groups;
  for (const Weight& weight : network.weights()) {
    if (!IsFeedForwardMatrix(weight)) continue;
    const TensorRole& role = weight.role;
    const int64_t expert = role.expert ? static_cast<int64_t>(*role.expert) : -1;
    BlockWeights& group = groups[{role.stack, *role.layer, expert}];
    const Weight*& slot = role.role == Role::kGate ? group.gate
                          : role.role == Role::kUp ? group.up
                                                   : group.down;
    // A second matrix of the same part: several shared experts. The first stands for them.
    if (slot == nullptr) slot = &weight;
  }
  return groups;
}

// The block, if its parts fit together as those of one feed-forward at this hidden width.
std::optional<FeedForwardBlock> MakeBlock(const BlockWeights& weights, uint64_t hidden) {
  if (weights.up == nullptr || weights.down == nullptr) return {};
  const Weight& up = *weights.up;
  const Weight& down = *weights.down;
  // A single unit has no other to be told from.
  if (up.rows < 2) return {};
  if (up.columns != hidden || down.rows != hidden || down.columns != up.rows) return {};
  FeedForwardBlock block{.up = up, .down = down};
  if (weights.gate != nullptr) {
    if (weights.gate->rows != up.rows || weights.gate->columns != hidden) return {};
    block.gate = *weights.gate;
  }
  return block;
}

// hidden x units of a weight [units, hidden]: the same numbers in the same order.
arma::fmat ColumnPerRow(const FloatMatrix& matrix) {
  return arma::fmat(matrix.values().data(), matrix.columns(), matrix.rows());
}

}  // namespace

std::vector<std::vector<FeedForwardBlock>> ListFeedForwardBlocks(const Network& network) {
  const NetworkDescription& description = network.description();
  const auto groups = GroupWeights(network);
  std::vector<std::vector<FeedForwardBlock>> blocks(description.layers.size());
  for (size_t layer = 0; layer < description.layers.size(); ++layer) {
    const LayerDescription& place = description.layers[layer];
    auto group = groups.lower_bound({place.stack, place.index, -1});
    for (; group != groups.end() && std::get<0>(group->first) == place.stack &&
           std::get<1>(group->first) == place.index && blocks[layer].size() < kBlocksPerLayer;
         ++group) {
      auto block = MakeBlock(group->second, description.hidden_size);
      if (!block) continue;
      block->layer = layer;
      const int64_t expert = std::get<2>(group->first);
      if (expert >= 0) block->expert = static_cast<uint32_t>(expert);
      blocks[layer].push_back(*std::move(block));
    }
    if (!blocks[layer].empty()) continue;
    if (auto mixer = MixerBlock(network, layer)) blocks[layer].push_back(*std::move(mixer));
  }
  return blocks;
}

Result<UnitVectors> ReadUnitVectors(const Network& network, const FeedForwardBlock& block) {
  TG_ASSIGN(const auto norm, ProbeInputNorm(network, block));
  UnitVectors vectors;
  const auto read_input = [&](const Weight& weight, arma::fmat* out) -> Result<void> {
    TG_ASSIGN(const auto rows, ReadWeight(network.source(), weight));
    *out = ColumnPerRow(rows);
    // Gains are at most one, so that no product overflows.
    out->each_col() %= norm.gain;
    NormaliseColumns(norm.centres, out);
    return {};
  };
  if (block.gate) {
    TG_TRY(read_input(*block.gate, &vectors.gate));
  }
  TG_TRY(read_input(block.up, &vectors.up));
  TG_ASSIGN(const auto down, ReadWeight(network.source(), block.down));
  vectors.down = ColumnPerRow(down).t();
  NormaliseColumns(norm.centres, &vectors.down);
  return WithoutMeanUnit(std::move(vectors));
}

UnitVectors WithoutMeanUnit(UnitVectors vectors) {
  const auto centre = [](arma::fmat* matrix) {
    *matrix = AtUnitLength(matrix->each_col() - arma::fvec(arma::mean(*matrix, 1)));
  };
  if (vectors.has_gate()) {
    centre(&vectors.gate);
  } else {
    centre(&vectors.up);
    centre(&vectors.down);
  }
  return vectors;
}

Result<bool> CentresResidualStream(const Network& network, const FeedForwardBlock& block) {
  TG_ASSIGN(const auto norm, ProbeInputNorm(network, block));
  return norm.centres;
}

}  // namespace tensorguard::internal
