#include "deep_test/feed_forward_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "deep_test/mixer_units.h"
#include "deep_test/unit_similarity.h"

namespace tensorguard {
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

// What the norm in front of a feed-forward does, up to a common factor.
struct InputNorm {
  arma::fvec gain;  // the largest magnitude is 1, unless all are 0
  bool centres = false;
};

float LargestMagnitude(const arma::fvec& values) {
  float largest = 0.0f;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// Every column by its largest magnitude and then its length, so that no square overflows.
void NormaliseColumns(bool centre, arma::fmat* matrix) {
  matrix->each_col([centre](arma::fvec& column) {
    const float largest = LargestMagnitude(column);
    if (largest == 0.0f) return;
    column /= largest;
    if (centre) column -= arma::mean(column);
    const float length = arma::norm(column);
    // A constant column, less its mean, is rounding noise.
    if (length <= 1e-6f * std::sqrt(static_cast<float>(column.n_elem))) {
      column.zeros();
    } else {
      column /= length;
    }
  });
}

Error NotFiniteAfterNorm(size_t layer) {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("a norm of layer {} gives a number that is not finite", layer),
          .expected = "gains within the range of float32"};
}

// A state of mean zero without zeros: 1, -1, 1, -1, ...; the last three 2, -1, -1 where the width
// is odd.
std::vector<float> BalancedState(size_t hidden) {
  std::vector<float> state(hidden);
  for (size_t i = 0; i < hidden; ++i) state[i] = i % 2 == 0 ? 1.0f : -1.0f;
  if (hidden % 2 == 1 && hidden >= 3) {
    state[hidden - 3] = 2.0f;
    state[hidden - 1] = -1.0f;
  }
  return state;
}

// Probes the norm with a state of mean zero: half the difference between its answers to x and -x
// is the gain times x, whatever the bias; a constant added to x changes nothing exactly where the
// norm centres.
Result<InputNorm> ProbeInputNorm(const Network& network, const FeedForwardBlock& block) {
  const size_t hidden = network.description().hidden_size;
  const std::vector<float> state = BalancedState(hidden);
  FloatMatrix probes(3, hidden);
  for (size_t i = 0; i < hidden; ++i) {
    probes.Row(0)[i] = state[i];
    probes.Row(1)[i] = -state[i];
    probes.Row(2)[i] = state[i] + 1.0f;
  }
  const auto answers = block.is_mixer ? network.MixerInput(block.layer, probes)
                                      : network.FeedForwardInput(block.layer, probes);
  if (!answers) return answers.error();
  InputNorm norm{.gain = arma::fvec(hidden)};
  double change = 0.0;
  double size = 0.0;
  for (size_t i = 0; i < hidden; ++i) {
    const float odd_part = 0.5f * (answers->Row(0)[i] - answers->Row(1)[i]);
    norm.gain[i] = odd_part / state[i];
    change += std::abs(answers->Row(2)[i] - answers->Row(0)[i]);
    size += std::abs(odd_part);
  }
  if (!norm.gain.is_finite() || !std::isfinite(change)) return NotFiniteAfterNorm(block.layer);
  norm.centres = change < 1e-2 * size;
  const float largest = LargestMagnitude(norm.gain);
  if (largest > 0.0f) norm.gain /= largest;
  return norm;
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
  const auto norm = ProbeInputNorm(network, block);
  if (!norm) return norm.error();
  UnitVectors vectors;
  const auto read_input = [&](const Weight& weight, arma::fmat* out) -> Result<void> {
    const auto rows = ReadWeight(network.source(), weight);
    if (!rows) return rows.error();
    *out = ColumnPerRow(*rows);
    // Gains are at most one, so that no product overflows.
    out->each_col() %= norm->gain;
    NormaliseColumns(norm->centres, out);
    return {};
  };
  if (block.gate) {
    if (const auto read = read_input(*block.gate, &vectors.gate); !read) return read.error();
  }
  if (const auto read = read_input(block.up, &vectors.up); !read) return read.error();
  const auto down = ReadWeight(network.source(), block.down);
  if (!down) return down.error();
  vectors.down = ColumnPerRow(*down).t();
  NormaliseColumns(norm->centres, &vectors.down);
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
  const auto norm = ProbeInputNorm(network, block);
  if (!norm) return norm.error();
  return norm->centres;
}

}  // namespace tensorguard
