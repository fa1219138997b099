// Parts that change nothing: dead heads and units, units in pieces, width without use.
#include <cmath>

#include "transform/change.h"
#include "transform/changes/dead_content.h"
#include "transform/changes/fold_gains.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

Result<void> AddHeads(const ChangeInput& input) {
  Decoder& model = input.model;
  if (model.head_size < 2) return DoesNotFit("heads of one column", "wider heads");
  SeededDraws draws(input.seed);
  const uint64_t groups = AddedShare(input.strength, model.key_heads);
  for (DecoderLayer& layer : model.layers) AddDeadHeads(model, groups, draws, layer);
  model.heads += groups * model.heads_per_key();
  model.key_heads += groups;
  return {};
}

Result<void> AddUnits(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (DecoderLayer& layer : input.model.layers) {
    for (FeedForwardMatrices& block : layer.blocks) {
      const uint64_t added = AddedShare(input.strength, block.up.weight.n_rows);
      AddDeadUnits((added + 1) / 2, draws, block);
    }
  }
  return {};
}

// Shares that sum to one.
std::vector<double> RandomShares(uint64_t pieces, SeededDraws& draws) {
  std::vector<double> shares(pieces);
  double sum = 0;
  for (double& share : shares) sum += share = -std::log(draws.Uniform());
  for (double& share : shares) share /= sum;
  return shares;
}

void SplitUnits(uint64_t pieces, SeededDraws& draws, FeedForwardMatrices& block) {
  const uint64_t units = block.up.weight.n_rows;
  const bool gated = !block.gate.weight.is_empty();
  const FeedForwardMatrices before = block;
  arma::uvec origin(units * pieces);
  for (uint64_t i = 0; i < origin.n_elem; ++i) origin[i] = i / pieces;
  for (auto [map, from] : {std::pair(&block.gate, &before.gate), {&block.up, &before.up}}) {
    if (from->weight.is_empty()) continue;
    map->weight = from->weight.rows(origin);
    if (!from->bias.is_empty()) map->bias = from->bias.elem(origin);
  }
  block.down.weight = before.down.weight.cols(origin);
  for (uint64_t unit = 0; unit < units; ++unit) {
    const std::vector<double> shares = RandomShares(pieces, draws);
    for (uint64_t piece = 0; piece < pieces; ++piece) {
      const uint64_t row = unit * pieces + piece;
      // Behind a gate a unit is linear in `up`, so that the copies need not be equal.
      const auto factor = static_cast<float>(gated ? std::exp(0.5 * draws.Normal()) : 1);
      block.up.weight.row(row) *= factor;
      if (!block.up.bias.is_empty()) block.up.bias[row] *= factor;
      block.down.weight.col(row) *= static_cast<float>(shares[piece]) / factor;
    }
  }
}

Result<void> DuplicateUnits(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (DecoderLayer& layer : input.model.layers) {
    for (FeedForwardMatrices& block : layer.blocks) {
      SplitUnits(static_cast<uint64_t>(std::llround(input.strength)), draws, block);
    }
  }
  return {};
}

void PadColumns(arma::fmat& matrix, uint64_t added, double deviation, SeededDraws& draws) {
  matrix = arma::join_rows(matrix, draws.Normals(matrix.n_rows, added, deviation));
}

void PadGain(arma::fvec& gain, uint64_t added, float factor) {
  if (gain.is_empty()) return;
  const arma::fvec more(added, arma::fill::ones);
  gain = arma::join_cols(gain, more) * factor;
}

// Columns of the residual stream that are always zero: what reads them holds random numbers, what
// writes them zeros. The norms' means grow, which gains and epsilon make up for.
Result<void> PadWidth(const ChangeInput& input) {
  Decoder& model = input.model;
  SeededDraws draws(input.seed);
  const uint64_t old = model.hidden();
  const uint64_t added = AddedShare(input.strength, old);
  const double wider = static_cast<double>(old + added) / static_cast<double>(old);
  const auto shrink = static_cast<float>(1 / std::sqrt(wider));
  const auto pad_reader = [&](Projection& map) {
    PadColumns(map.weight, added, RootMeanSquare(map.weight), draws);
  };
  for (DecoderLayer& layer : model.layers) {
    PadGain(layer.attention_gain, added, shrink);
    PadGain(layer.feed_forward_gain, added, shrink);
    PadGain(layer.attention_output_gain, added, shrink);
    PadGain(layer.feed_forward_output_gain, added, shrink);
    ForEachAttentionReader(layer, pad_reader);
    ForEachFeedForwardReader(layer, pad_reader);
    ForEachWriter(layer, [&](Projection& map) {
      map.weight =
          arma::join_cols(map.weight, arma::fmat(added, map.weight.n_cols, arma::fill::zeros));
      if (!map.bias.is_empty())
        map.bias = arma::join_cols(map.bias, arma::fvec(added, arma::fill::zeros));
    });
  }
  PadGain(model.final_gain, added, shrink);
  if (model.tied() && model.embedding_scaled) Untie(model);
  if (!model.tied()) PadColumns(model.head, added, RootMeanSquare(model.head), draws);
  if (model.embedding_scaled) model.embedding *= shrink;
  model.embedding =
      arma::join_rows(model.embedding, arma::fmat(model.vocabulary(), added, arma::fill::zeros));
  model.epsilon /= wider;
  return {};
}

}  // namespace

std::vector<Change> InertParts() {
  return {
      {.name = "dead-heads",
       .text = "loud attention heads whose values the output projection cancels",
       .strength = "share of heads added",
       .strengths = {0.34, 1},
       .least = 0.01,
       .most = 8,
       .source = "own: against kernels that sum over heads",
       .apply = AddHeads},
      {.name = "shadow-units",
       .text = "loud hidden units in pairs that cancel each other",
       .strength = "share of units added",
       .strengths = {0.25, 1},
       .least = 0.01,
       .most = 8,
       .source = "own: against kernels that ask raw embeddings",
       .apply = AddUnits},
      {.name = "duplicate-units",
       .text = "each hidden unit in pieces that write a share each",
       .strength = "pieces",
       .strengths = {2, 3},
       .least = 2,
       .most = 16,
       .source = "Chen et al. 2016, Net2Net (Net2WiderNet)",
       .apply = DuplicateUnits},
      {.name = "pad-width",
       .text = "columns of the residual stream that are always zero, read by random numbers",
       .strength = "share of columns added",
       .strengths = {0.25, 1},
       .least = 0.01,
       .most = 4,
       .source = "own: zero padding in the manner of Net2Net",
       .apply = PadWidth},
  };
}

}  // namespace tensorguard::internal
