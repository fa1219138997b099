// Changes of basis: the same function in other numbers.
#include <algorithm>
#include <cmath>

#include "transform/change.h"
#include "transform/changes/fold_gains.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

// Rows of whole heads, in the order of `heads`.
arma::uvec RowsOfHeads(const arma::uvec& heads, uint64_t size) {
  arma::uvec rows(heads.n_elem * size);
  for (arma::uword i = 0; i < rows.n_elem; ++i) rows[i] = heads[i / size] * size + i % size;
  return rows;
}

void TakeRows(Projection& projection, const arma::uvec& rows) {
  projection.weight = projection.weight.rows(rows);
  if (!projection.bias.is_empty()) projection.bias = projection.bias.elem(rows);
}

void TakeIfThere(arma::fvec& vector, const arma::uvec& order) {
  if (!vector.is_empty()) vector = arma::fvec(vector.elem(order));
}

void PermuteStream(Decoder& model, const arma::uvec& order) {
  model.embedding = model.embedding.cols(order);
  if (!model.tied()) model.head = model.head.cols(order);
  TakeIfThere(model.final_gain, order);
  for (DecoderLayer& layer : model.layers) {
    for (arma::fvec* gain : {&layer.attention_gain, &layer.attention_output_gain,
                             &layer.feed_forward_gain, &layer.feed_forward_output_gain}) {
      TakeIfThere(*gain, order);
    }
    const auto take_columns = [&](Projection& map) { map.weight = map.weight.cols(order); };
    ForEachAttentionReader(layer, take_columns);
    ForEachFeedForwardReader(layer, take_columns);
    ForEachWriter(layer, [&](Projection& map) { TakeRows(map, order); });
  }
}

// Groups of heads that share a key, and the heads within each.
void PermuteHeads(const Decoder& model, DecoderLayer& layer, SeededDraws& draws) {
  const uint64_t each = model.heads_per_key();
  const arma::uvec groups = draws.Order(model.key_heads);
  arma::uvec heads(model.heads);
  for (arma::uword g = 0; g < groups.n_elem; ++g) {
    const arma::uvec within = draws.Order(each);
    for (arma::uword i = 0; i < each; ++i) heads[g * each + i] = groups[g] * each + within[i];
  }
  const arma::uvec query_rows = RowsOfHeads(heads, model.head_size);
  const arma::uvec key_rows = RowsOfHeads(groups, model.head_size);
  TakeRows(layer.query, query_rows);
  TakeRows(layer.key, key_rows);
  TakeRows(layer.value, key_rows);
  layer.output.weight = layer.output.weight.cols(query_rows);
}

void TakeUnits(FeedForwardMatrices& block, const arma::uvec& order) {
  if (!block.gate.weight.is_empty()) TakeRows(block.gate, order);
  TakeRows(block.up, order);
  block.down.weight = block.down.weight.cols(order);
}

Result<void> Permute(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  PermuteStream(input.model, draws.Order(input.model.hidden()));
  for (DecoderLayer& layer : input.model.layers) {
    PermuteHeads(input.model, layer, draws);
    ForEachBlock(layer, [&](FeedForwardMatrices& block) {
      TakeUnits(block, draws.Order(block.up.weight.n_rows));
    });
  }
  return {};
}

Result<void> Rotate(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto folded = FoldAllGains(model); !folded) return folded;
  SeededDraws draws(input.seed);
  const arma::fmat rotation = draws.Rotation(model.hidden());
  model.embedding = model.embedding * rotation.t();
  model.head = model.head * rotation.t();
  for (DecoderLayer& layer : model.layers) {
    const auto turn_columns = [&](Projection& map) { map.weight = map.weight * rotation.t(); };
    ForEachAttentionReader(layer, turn_columns);
    ForEachFeedForwardReader(layer, turn_columns);
    ForEachWriter(layer, [&](Projection& map) {
      map.weight = rotation * map.weight;
      if (!map.bias.is_empty()) map.bias = rotation * map.bias;
    });
  }
  return {};
}

void ScaleRow(Projection& map, arma::uword row, float factor) {
  map.weight.row(row) *= factor;
  if (!map.bias.is_empty()) map.bias[row] *= factor;
}

float RandomFactor(SeededDraws& draws, double deviation) {
  return static_cast<float>(std::exp(deviation * draws.Normal()));
}

// One factor per column of a head, equal within a pair that positions turn.
arma::fvec FactorsOfHead(const DecoderLayer& layer, uint64_t size, double deviation,
                         SeededDraws& draws) {
  arma::fvec factors(size);
  for (float& factor : factors) factor = RandomFactor(draws, deviation);
  for (const auto& [first, second] : layer.rotary_pairs) factors[second] = factors[first];
  return factors;
}

// Queries times a factor, keys divided by it. Behind a norm on heads it goes into the gains.
void RescaleQueriesAndKeys(const Decoder& model, DecoderLayer& layer, double deviation,
                           SeededDraws& draws) {
  const uint64_t size = model.head_size;
  if (!layer.query_gain.is_empty() && !layer.key_gain.is_empty()) {
    const arma::fvec factors = FactorsOfHead(layer, size, deviation, draws);
    layer.query_gain %= factors;
    layer.key_gain /= factors;
    return;
  }
  for (uint64_t key = 0; key < model.key_heads; ++key) {
    const arma::fvec factors = FactorsOfHead(layer, size, deviation, draws);
    for (uint64_t i = 0; i < size; ++i) {
      ScaleRow(layer.key, key * size + i, 1 / factors[i]);
      for (uint64_t h = 0; h < model.heads_per_key(); ++h) {
        ScaleRow(layer.query, (key * model.heads_per_key() + h) * size + i, factors[i]);
      }
    }
  }
}

// Invertible maps between the values and the output projection, one per key head.
template <typename MakeMap>
void MapValues(const Decoder& model, DecoderLayer& layer, const MakeMap& make_map) {
  const uint64_t size = model.head_size;
  for (uint64_t key = 0; key < model.key_heads; ++key) {
    const arma::fmat map = make_map();
    const arma::fmat inverse = arma::inv(map);
    const arma::span rows(key * size, (key + 1) * size - 1);
    layer.value.weight.rows(rows.a, rows.b) = map * layer.value.weight.rows(rows.a, rows.b);
    if (!layer.value.bias.is_empty()) layer.value.bias(rows) = map * layer.value.bias(rows);
    for (uint64_t h = 0; h < model.heads_per_key(); ++h) {
      const uint64_t first = (key * model.heads_per_key() + h) * size;
      layer.output.weight.cols(first, first + size - 1) =
          layer.output.weight.cols(first, first + size - 1) * inverse;
    }
  }
}

void RescaleUnits(FeedForwardMatrices& block, double deviation, SeededDraws& draws) {
  if (block.gate.weight.is_empty()) return;  // an activation that is not linear stands between
  for (arma::uword unit = 0; unit < block.up.weight.n_rows; ++unit) {
    const float factor = RandomFactor(draws, deviation) * static_cast<float>(draws.Sign());
    ScaleRow(block.up, unit, factor);
    block.down.weight.col(unit) /= factor;
  }
}

Result<void> Rescale(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (DecoderLayer& layer : input.model.layers) {
    RescaleQueriesAndKeys(input.model, layer, input.strength, draws);
    MapValues(input.model, layer, [&]() -> arma::fmat {
      arma::fvec factors(input.model.head_size);
      for (float& factor : factors) {
        factor = RandomFactor(draws, input.strength) * static_cast<float>(draws.Sign());
      }
      return arma::diagmat(factors);
    });
    ForEachBlock(layer,
                 [&](FeedForwardMatrices& block) { RescaleUnits(block, input.strength, draws); });
  }
  return {};
}

Result<void> Regain(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  const auto move = [&](arma::fvec& gain) {
    arma::fvec factors(gain.n_elem);
    for (float& factor : factors) factor = RandomFactor(draws, input.strength);
    gain %= factors;
    return factors;
  };
  for (DecoderLayer& layer : input.model.layers) {
    const arma::fvec attention = move(layer.attention_gain);
    ForEachAttentionReader(layer, [&](Projection& map) { DivideColumns(map.weight, attention); });
    const arma::fvec feed_forward = move(layer.feed_forward_gain);
    ForEachFeedForwardReader(layer,
                             [&](Projection& map) { DivideColumns(map.weight, feed_forward); });
  }
  if (!input.model.tied()) DivideColumns(input.model.head, move(input.model.final_gain));
  return {};
}

// Turns the pair of rows of one head by an angle.
void TurnRows(Projection& map, arma::uword first, arma::uword second, double angle) {
  const auto cosine = static_cast<float>(std::cos(angle));
  const auto sine = static_cast<float>(std::sin(angle));
  const arma::frowvec a = map.weight.row(first);
  const arma::frowvec b = map.weight.row(second);
  map.weight.row(first) = cosine * a - sine * b;
  map.weight.row(second) = sine * a + cosine * b;
  if (map.bias.is_empty()) return;
  const float x = map.bias[first];
  const float y = map.bias[second];
  map.bias[first] = cosine * x - sine * y;
  map.bias[second] = sine * x + cosine * y;
}

Result<void> TurnRotaryPairs(const ChangeInput& input) {
  Decoder& model = input.model;
  SeededDraws draws(input.seed);
  for (DecoderLayer& layer : model.layers) {
    if (!layer.query_gain.is_empty() || !layer.key_gain.is_empty()) {
      return DoesNotFit("a norm on queries and keys", "queries and keys without a norm",
                        "use rescale, which moves factors between those norms");
    }
    for (uint64_t key = 0; key < model.key_heads; ++key) {
      for (const auto& [first, second] : layer.rotary_pairs) {
        const double angle = 2 * std::numbers::pi * draws.Uniform();
        const uint64_t base = key * model.head_size;
        TurnRows(layer.key, base + first, base + second, angle);
        for (uint64_t h = 0; h < model.heads_per_key(); ++h) {
          const uint64_t head = (key * model.heads_per_key() + h) * model.head_size;
          TurnRows(layer.query, head + first, head + second, angle);
        }
      }
    }
  }
  return {};
}

// A rotation, a stretch, and another rotation.
Result<void> ChangeValueBasis(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  const uint64_t size = input.model.head_size;
  for (DecoderLayer& layer : input.model.layers) {
    MapValues(input.model, layer, [&]() -> arma::fmat {
      arma::fvec stretch(size);
      for (float& factor : stretch) factor = RandomFactor(draws, input.strength);
      return draws.Rotation(size) * arma::diagmat(stretch) * draws.Rotation(size);
    });
  }
  return {};
}

// How much unit `a` of the block agrees with unit `b` of the other.
double UnitAgreement(const FeedForwardMatrices& block, arma::uword a,
                     const FeedForwardMatrices& other, arma::uword b) {
  const auto cosine = [](const auto& x, const auto& y) {
    const double norms = arma::norm(x) * arma::norm(y);
    return norms > 0 ? arma::dot(x, y) / norms : 0.0;
  };
  return cosine(arma::frowvec(block.up.weight.row(a)), arma::frowvec(other.up.weight.row(b))) +
         cosine(arma::fvec(block.down.weight.col(a)), arma::fvec(other.down.weight.col(b)));
}

bool SameUnits(const FeedForwardMatrices& a, const FeedForwardMatrices& b) {
  return a.up.weight.n_rows == b.up.weight.n_rows && a.up.weight.n_cols == b.up.weight.n_cols;
}

// Without another model by chance; with one so that neighbours lie as they do there.
Result<void> SwapNeighbours(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  for (size_t l = 0; l < input.model.layers.size(); ++l) {
    DecoderLayer& layer = input.model.layers[l];
    const DecoderLayer* like = nullptr;
    if (input.other != nullptr && l < input.other->layers.size()) like = &input.other->layers[l];
    for (size_t e = 0; e < layer.blocks.size(); ++e) {
      FeedForwardMatrices& block = layer.blocks[e];
      const bool aimed =
          like != nullptr && e < like->blocks.size() && SameUnits(block, like->blocks[e]);
      arma::uvec order = arma::regspace<arma::uvec>(0, block.up.weight.n_rows - 1);
      for (arma::uword i = 0; i + 1 < order.n_elem; i += 2) {
        bool swap = draws.Sign() < 0;
        if (aimed) {
          const FeedForwardMatrices& there = like->blocks[e];
          swap = UnitAgreement(block, i, there, i) + UnitAgreement(block, i + 1, there, i + 1) <
                 UnitAgreement(block, i + 1, there, i) + UnitAgreement(block, i, there, i + 1);
        }
        if (swap) std::swap(order[i], order[i + 1]);
      }
      TakeUnits(block, order);
    }
  }
  return {};
}

}  // namespace

std::vector<Change> BasisChanges() {
  return {
      {.name = "permute",
       .text = "the residual stream, heads and hidden units in another order",
       .source = "Ainsworth et al. 2022, Git Re-Basin",
       .apply = Permute},
      {.name = "rotate",
       .text = "the residual stream turned, gains folded into the next matrices, the head untied",
       .source = "Ashkboos et al. 2024, SliceGPT",
       .apply = Rotate},
      {.name = "rescale",
       .text = "factors and signs moved between query and key, value and output, up and down",
       .strength = "standard deviation of the factors' logarithms",
       .strengths = {0.5, 1.5},
       .least = 0,
       .most = 4,
       .source = "Neyshabur et al. 2015, Path-SGD",
       .apply = Rescale},
      {.name = "regain",
       .text = "random gains in the norms, undone in the next matrices",
       .strength = "standard deviation of the gains' logarithms",
       .strengths = {0.5, 1.5},
       .least = 0,
       .most = 4,
       .source = "Zeng et al. 2023, HuRef (rearrangements of weights)",
       .apply = Regain},
      {.name = "rotary-rotate",
       .text = "queries and keys turned alike inside the pairs that positions turn",
       .source = "the symmetry of Su et al. 2021, RoFormer",
       .apply = TurnRotaryPairs},
      {.name = "value-basis",
       .text = "an invertible map between the values and the output projection of each head",
       .strength = "standard deviation of the stretch's logarithms; 0: rotations only",
       .strengths = {0, 1},
       .least = 0,
       .most = 3,
       .source = "Zeng et al. 2023, HuRef (rearrangements of weights)",
       .apply = ChangeValueBasis},
      {.name = "swap-neighbours",
       .text = "neighbouring hidden units exchanged; with a second model, to lie as they do there",
       .second = SecondModel::kUsedIfGiven,
       .source = "order forged against Zhu et al. 2025, Independence Tests for Language Models",
       .apply = SwapNeighbours},
  };
}

}  // namespace tensorguard::internal
