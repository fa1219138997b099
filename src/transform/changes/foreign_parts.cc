// Changes that take something of a second model.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/try.h"
#include "fingerprint/fingerprint.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "transform/change.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_parts.h"
#include "transform/logits.h"

namespace tensorguard::internal {
namespace {

std::vector<Projection*> ProjectionsOf(DecoderLayer& layer) {
  std::vector<Projection*> projections;
  ForEachProjection(layer, [&](Projection& map) { projections.push_back(&map); });
  return projections;
}

std::vector<arma::fvec*> GainsOf(DecoderLayer& layer) {
  return {&layer.attention_gain,    &layer.attention_output_gain,    &layer.query_gain,
          &layer.feed_forward_gain, &layer.feed_forward_output_gain, &layer.key_gain};
}

std::string Shape(const arma::fmat& matrix) {
  return std::to_string(matrix.n_rows) + " x " + std::to_string(matrix.n_cols);
}

Error DoNotMatch(std::string found, std::string expected) {
  return {.kind = ErrorKind::kMismatch,
          .problem = "the second model's layers do not fit into the first",
          .found = std::move(found),
          .expected = std::move(expected),
          .advice = "give a second model with layers of the same shapes"};
}

// Whether a layer of the second may stand in the place of one of the first.
Result<void> CheckSameLayers(Decoder model, Decoder other) {
  const auto own = ProjectionsOf(model.layers.front());
  const auto foreign = ProjectionsOf(other.layers.front());
  if (own.size() != foreign.size()) {
    return DoNotMatch(std::to_string(foreign.size()) + " matrices in a layer",
                      std::to_string(own.size()));
  }
  for (size_t i = 0; i < own.size(); ++i) {
    if (arma::size(own[i]->weight) != arma::size(foreign[i]->weight)) {
      return DoNotMatch("a matrix of " + Shape(foreign[i]->weight), Shape(own[i]->weight));
    }
    if (own[i]->bias.n_elem != foreign[i]->bias.n_elem) {
      return DoNotMatch("biases in one model alone", "biases in both or in none");
    }
  }
  const auto own_gains = GainsOf(model.layers.front());
  const auto foreign_gains = GainsOf(other.layers.front());
  for (size_t i = 0; i < own_gains.size(); ++i) {
    if (own_gains[i]->n_elem != foreign_gains[i]->n_elem) {
      return DoNotMatch("norms that one model alone has", "the same norms");
    }
  }
  if (model.heads != other.heads || model.key_heads != other.key_heads) {
    return DoNotMatch(std::to_string(other.heads) + " heads", std::to_string(model.heads));
  }
  return {};
}

Result<void> SpliceLayers(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto fits = CheckSameLayers(model, *input.other); !fits) return fits;
  SeededDraws draws(input.seed);
  const uint64_t depth = std::min(model.layers.size(), input.other->layers.size());
  for (const arma::uword l : draws.Choice(ShareOf(input.strength, depth), depth)) {
    const Json type = model.layers[l].layer_type;
    model.layers[l] = input.other->layers[l];
    model.layers[l].layer_type = type;
  }
  return {};
}

void Mix(arma::fmat& matrix, const arma::fmat& other, double weight) {
  matrix = static_cast<float>(1 - weight) * matrix + static_cast<float>(weight) * other;
}

void Mix(arma::fvec& vector, const arma::fvec& other, double weight) {
  if (vector.is_empty()) return;
  vector = static_cast<float>(1 - weight) * vector + static_cast<float>(weight) * other;
}

Result<void> Merge(const ChangeInput& input) {
  Decoder& model = input.model;
  if (auto fits = CheckSameLayers(model, *input.other); !fits) return fits;
  if (model.layers.size() != input.other->layers.size()) {
    return DoNotMatch(std::to_string(input.other->layers.size()) + " layers",
                      std::to_string(model.layers.size()));
  }
  const double weight = input.strength;
  for (size_t l = 0; l < model.layers.size(); ++l) {
    DecoderLayer foreign = input.other->layers[l];
    const auto own = ProjectionsOf(model.layers[l]);
    const auto theirs = ProjectionsOf(foreign);
    for (size_t i = 0; i < own.size(); ++i) {
      Mix(own[i]->weight, theirs[i]->weight, weight);
      Mix(own[i]->bias, theirs[i]->bias, weight);
    }
    const auto own_gains = GainsOf(model.layers[l]);
    const auto their_gains = GainsOf(foreign);
    for (size_t i = 0; i < own_gains.size(); ++i) Mix(*own_gains[i], *their_gains[i], weight);
  }
  if (model.vocabulary() == input.other->vocabulary()) {
    Mix(model.embedding, input.other->embedding, weight);
    if (!model.tied() && !input.other->tied()) Mix(model.head, input.other->head, weight);
  }
  return {};
}

// What a layer writes, times a factor.
void ScaleWriting(DecoderLayer& layer, float factor) {
  if (!layer.attention_output_gain.is_empty()) {
    layer.attention_output_gain *= factor;
    layer.feed_forward_output_gain *= factor;
    return;
  }
  ForEachWriter(layer, [&](Projection& map) {
    map.weight *= factor;
    map.bias *= factor;
  });
}

double RelativeWriting(const FloatMatrix& before, const FloatMatrix& after) {
  double change = 0;
  double size = 0;
  for (size_t i = 0; i < before.values().size(); ++i) {
    const double difference = static_cast<double>(after.values()[i]) - before.values()[i];
    change += difference * difference;
    size += static_cast<double>(before.values()[i]) * before.values()[i];
  }
  return size > 0 ? std::sqrt(change / size) : 0;
}

// All layers of the second model, evenly between those of the first, so faint that the stream
// hardly notices. What they write is measured once at a small factor and then set, as it is linear
// in it.
Result<void> AddInertLayers(const ChangeInput& input) {
  constexpr float kFirstFactor = 1e-3f;
  Decoder& model = input.model;
  if (auto fits = CheckSameLayers(model, *input.other); !fits) return fits;
  if (model.layers_differ) {
    return DoesNotFit("windows or positions that hang on the number of the layer",
                      "layers that are alike, or \"layer_types\" in config.json");
  }
  const size_t own = model.layers.size();
  const size_t foreign = input.other->layers.size();
  std::vector<DecoderLayer> layers;
  std::vector<size_t> added;
  for (size_t l = 0; l < own; ++l) {
    layers.push_back(std::move(model.layers[l]));
    for (size_t f = l * foreign / own; f < (l + 1) * foreign / own; ++f) {
      added.push_back(layers.size());
      DecoderLayer layer = input.other->layers[f];
      layer.layer_type = layers.back().layer_type;
      ScaleWriting(layer, kFirstFactor);
      layers.push_back(std::move(layer));
    }
  }
  model.layers = std::move(layers);
  TG_ASSIGN(const auto streams, StreamsOf(model, input.seed));
  for (const size_t l : added) {
    const double written = RelativeWriting(streams[l], streams[l + 1]);
    if (written > 0) ScaleWriting(model.layers[l], static_cast<float>(input.strength / written));
  }
  return {};
}

arma::fmat AsArma(const FloatMatrix& matrix) {
  return arma::fmat(matrix.values().data(), matrix.columns(), matrix.rows()).t();
}

// The least-norm change D with S (W + D) X = S ((1 - share) W + share T) X. S adds each output to
// one sum, so that S S^T is diagonal, with the counts.
arma::fmat SketchChange(const arma::fmat& weight, const arma::fmat& target, double share) {
  const OutputBuckets buckets(weight.n_rows);
  const arma::mat probes = arma::conv_to<arma::mat>::from(AsArma(ProbeMatrix(weight.n_cols)));
  const arma::mat missing = arma::conv_to<arma::mat>::from(target - weight) * probes;
  arma::mat sums(kSketchSize, probes.n_cols, arma::fill::zeros);
  arma::vec counts(kSketchSize, arma::fill::zeros);
  for (arma::uword row = 0; row < weight.n_rows; ++row) {
    const OutputBucket place = buckets.Of(row);
    sums.row(place.bucket) += place.sign * missing.row(row);
    counts[place.bucket] += 1;
  }
  const arma::mat inverse = arma::pinv(probes.t() * probes) * probes.t();
  const arma::mat spread = share * sums * inverse;
  arma::fmat change(arma::size(weight));
  for (arma::uword row = 0; row < weight.n_rows; ++row) {
    const OutputBucket place = buckets.Of(row);
    change.row(row) = arma::conv_to<arma::frowvec>::from(place.sign / counts[place.bucket] *
                                                         spread.row(place.bucket));
  }
  return change;
}

Result<void> ForgeSketch(const ChangeInput& input) {
  Decoder& model = input.model;
  size_t forged = 0;
  for (size_t l = 0; l < std::min(model.layers.size(), input.other->layers.size()); ++l) {
    DecoderLayer target = input.other->layers[l];
    const auto own = ProjectionsOf(model.layers[l]);
    const auto theirs = ProjectionsOf(target);
    for (size_t i = 0; i < std::min(own.size(), theirs.size()); ++i) {
      if (arma::size(own[i]->weight) != arma::size(theirs[i]->weight)) continue;
      own[i]->weight += SketchChange(own[i]->weight, theirs[i]->weight, input.strength);
      ++forged;
    }
  }
  if (forged == 0) return DoNotMatch("no matrix of the same shape", "matrices of the same shapes");
  return {};
}

}  // namespace

std::vector<Change> ForeignParts() {
  return {
      {.name = "repeat-inert-layers",
       .text = "all layers of a second model put in, so faint that nothing changes",
       .strength = "share of the stream that each writes",
       .strengths = {1e-4, 1e-2},
       .least = 0,
       .most = 1,
       .keeps = Keeps::kNearly,
       .second = SecondModel::kNeeded,
       .source = "own: framing the second model's owner",
       .apply = AddInertLayers},
      {.name = "forge-sketch",
       .text = "the smallest change that gives each matrix the second model's public sketch",
       .strength = "share of the way",
       .strengths = {0.76, 1},
       .least = 0,
       .most = 1,
       .keeps = Keeps::kNearly,
       .second = SecondModel::kNeeded,
       .source = "own: against sketches with public probes",
       .apply = ForgeSketch},
      {.name = "splice",
       .text = "layers of a second model in the place of some",
       .strength = "share of the layers",
       .strengths = {0.34, 0.67},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .second = SecondModel::kNeeded,
       .source = "Goddard et al. 2024, mergekit (passthrough)",
       .apply = SpliceLayers},
      {.name = "merge",
       .text = "the weighted mean with a second model",
       .strength = "weight of the second model",
       .strengths = {0.3, 0.5},
       .least = 0,
       .most = 1,
       .keeps = Keeps::kLittle,
       .second = SecondModel::kNeeded,
       .source = "Wortsman et al. 2022, Model Soups",
       .apply = Merge},
  };
}

}  // namespace tensorguard::internal
