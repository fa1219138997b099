// Changes that damage the weights by a known amount.
#include <algorithm>
#include <cmath>

#include "transform/change.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kQuantisedGroup = 32;  // numbers that share a scale, as in GGUF's Q4_0
constexpr double kLowRankSize = 0.1;      // of the matrix's norm, as large as LoRA's usual one

// All matrices of the layers and both tables.
template <typename Visit>
void ForEachMatrix(Decoder& model, const Visit& visit) {
  visit(model.embedding);
  if (!model.tied()) visit(model.head);
  for (DecoderLayer& layer : model.layers) {
    ForEachProjection(layer, [&](Projection& map) { visit(map.weight); });
  }
}

Result<void> AddNoise(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  ForEachMatrix(input.model, [&](arma::fmat& matrix) {
    matrix += draws.Normals(matrix.n_rows, matrix.n_cols, input.strength * RootMeanSquare(matrix));
  });
  return {};
}

Result<void> Quantise(const ChangeInput& input) {
  const double levels = std::exp2(std::round(input.strength) - 1) - 1;
  ForEachMatrix(input.model, [&](arma::fmat& matrix) {
    for (arma::uword first = 0; first < matrix.n_cols; first += kQuantisedGroup) {
      const arma::uword last = std::min<arma::uword>(first + kQuantisedGroup, matrix.n_cols) - 1;
      for (arma::uword row = 0; row < matrix.n_rows; ++row) {
        const auto group = matrix.submat(row, first, row, last);
        const double scale = arma::abs(arma::frowvec(group)).max() / levels;
        if (scale == 0) continue;
        matrix.submat(row, first, row, last).transform([&](float value) {
          return static_cast<float>(std::round(value / scale) * scale);
        });
      }
    }
  });
  return {};
}

Result<void> Prune(const ChangeInput& input) {
  for (DecoderLayer& layer : input.model.layers) {
    ForEachProjection(layer, [&](Projection& map) {
      arma::fvec sizes = arma::vectorise(arma::abs(map.weight));
      const auto count =
          static_cast<arma::uword>(input.strength * static_cast<double>(sizes.n_elem));
      if (count == 0) return;
      std::nth_element(sizes.begin(), sizes.begin() + (count - 1), sizes.end());
      const float limit = sizes[count - 1];
      map.weight.transform([&](float value) { return std::abs(value) <= limit ? 0.0f : value; });
    });
  }
  return {};
}

Result<void> AddLowRank(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  const auto rank = static_cast<uint64_t>(std::llround(input.strength));
  for (DecoderLayer& layer : input.model.layers) {
    ForEachProjection(layer, [&](Projection& map) {
      const arma::fmat change =
          draws.Normals(map.weight.n_rows, rank) * draws.Normals(rank, map.weight.n_cols);
      const double scale = kLowRankSize * RootMeanSquare(map.weight) / RootMeanSquare(change);
      map.weight += static_cast<float>(scale) * change;
    });
  }
  return {};
}

Result<void> ScaleAll(const ChangeInput& input) {
  const auto factor = static_cast<float>(input.strength);
  for (DecoderLayer& layer : input.model.layers) {
    ForEachProjection(layer, [&](Projection& map) {
      map.weight *= factor;
      map.bias *= factor;
    });
  }
  return {};
}

// The direction between the means of two halves of the vocabulary stands for one that was found.
Result<void> ProjectDirection(const ChangeInput& input) {
  Decoder& model = input.model;
  SeededDraws draws(input.seed);
  arma::frowvec direction(model.hidden(), arma::fill::zeros);
  for (arma::uword row = 0; row < model.vocabulary(); ++row) {
    direction += static_cast<float>(draws.Sign()) * model.embedding.row(row);
  }
  const arma::fvec unit = arma::normalise(direction.t());
  const auto share = static_cast<float>(input.strength);
  for (DecoderLayer& layer : model.layers) {
    ForEachWriter(layer, [&](Projection& map) {
      map.weight -= share * unit * (unit.t() * map.weight);
      if (!map.bias.is_empty()) map.bias -= share * unit * arma::dot(unit, map.bias);
    });
  }
  return {};
}

void Randomise(Projection& map, SeededDraws& draws) {
  map.weight = draws.Normals(map.weight.n_rows, map.weight.n_cols, RootMeanSquare(map.weight));
}

arma::uvec ChosenLayers(const Decoder& model, double share, SeededDraws& draws) {
  return draws.Choice(ShareOf(share, model.layers.size()), model.layers.size());
}

Result<void> RandomiseLayers(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (const arma::uword l : ChosenLayers(input.model, input.strength, draws)) {
    ForEachProjection(input.model.layers[l], [&](Projection& map) { Randomise(map, draws); });
  }
  return {};
}

Result<void> RandomiseFeedForward(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (const arma::uword l : ChosenLayers(input.model, input.strength, draws)) {
    ForEachBlock(input.model.layers[l], [&](FeedForwardMatrices& block) {
      for (Projection* map : {&block.gate, &block.up, &block.down}) Randomise(*map, draws);
    });
  }
  return {};
}

Result<void> ReplaceExperts(const ChangeInput& input) {
  if (!input.model.is_mixture()) {
    return DoesNotFit("a model without experts", "a mixture of experts, such as Mixtral");
  }
  SeededDraws draws(input.seed);
  for (DecoderLayer& layer : input.model.layers) {
    const size_t experts = layer.blocks.size();
    for (const arma::uword e : draws.Choice(ShareOf(input.strength, experts), experts)) {
      FeedForwardMatrices& block = layer.blocks[e];
      for (Projection* map : {&block.gate, &block.up, &block.down}) Randomise(*map, draws);
    }
  }
  return {};
}

}  // namespace

std::vector<Change> WeightDamage() {
  return {
      {.name = "noise",
       .text = "normal noise on every matrix",
       .strength = "deviation, relative to the matrix's own",
       .strengths = {0.01, 0.1, 0.5},
       .least = 0,
       .most = 100,
       .keeps = Keeps::kNearly,
       .source = "Wu et al. 2025, TensorGuard",
       .apply = AddNoise},
      {.name = "quantise",
       .text = "every matrix rounded, in groups of 32 numbers with one scale",
       .strength = "bits",
       .strengths = {8, 4, 3},
       .least = 2,
       .most = 16,
       .keeps = Keeps::kNearly,
       .source = "Dettmers et al. 2022, LLM.int8()",
       .apply = Quantise},
      {.name = "prune",
       .text = "the smallest numbers of each matrix set to zero",
       .strength = "share of the numbers",
       .strengths = {0.2, 0.5, 0.7},
       .least = 0,
       .most = 1,
       .keeps = Keeps::kNearly,
       .source = "Han et al. 2015, Learning both Weights and Connections",
       .apply = Prune},
      {.name = "low-rank",
       .text = "a random change of low rank, a tenth of each matrix's norm",
       .strength = "rank",
       .strengths = {8, 32},
       .least = 1,
       .most = 1024,
       .keeps = Keeps::kNearly,
       .source = "Hu et al. 2021, LoRA",
       .apply = AddLowRank},
      {.name = "scale-all",
       .text = "every matrix of the layers times a factor",
       .strength = "factor",
       .strengths = {1.02, 0.9},
       .least = 0.1,
       .most = 10,
       .keeps = Keeps::kNearly,
       .source = "own: a factor on everything",
       .apply = ScaleAll},
      {.name = "project-direction",
       .text = "one direction removed from what the layers write",
       .strength = "share of it",
       .strengths = {1},
       .least = 0,
       .most = 2,
       .keeps = Keeps::kNearly,
       .source = "Arditi et al. 2024, Refusal Is Mediated by a Single Direction",
       .apply = ProjectDirection},
      {.name = "randomise-layers",
       .text = "layers with random matrices in the place of some",
       .strength = "share of the layers",
       .strengths = {0.2, 0.5},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "own: retraining of parts, before it",
       .apply = RandomiseLayers},
      {.name = "randomise-feed-forward",
       .text = "random feed-forwards in the place of some",
       .strength = "share of the layers",
       .strengths = {0.5, 1},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "own: retraining of parts, before it",
       .apply = RandomiseFeedForward},
      {.name = "replace-experts",
       .text = "random experts in the place of some",
       .strength = "share of the experts",
       .strengths = {0.34},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "own: against experts that are only counted",
       .apply = ReplaceExperts},
  };
}

}  // namespace tensorguard::internal
