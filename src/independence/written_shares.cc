#include "independence/written_shares.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/try.h"
#include "network/network_parts.h"

namespace tensorguard::internal {
namespace {

double MedianMagnitude(const FloatMatrix& matrix) {
  std::vector<float> magnitudes(matrix.values().size());
  std::transform(matrix.values().begin(), matrix.values().end(), magnitudes.begin(),
                 [](float value) { return std::abs(value); });
  if (magnitudes.empty()) return 0.0;
  const auto middle = magnitudes.begin() + static_cast<std::ptrdiff_t>(magnitudes.size() / 2);
  std::nth_element(magnitudes.begin(), middle, magnitudes.end());
  return static_cast<double>(*middle);
}

const Layer* FindLayer(const Network& network, const LayerDescription& wanted) {
  for (const Stack& stack : network.parts().stacks) {
    for (const Layer& layer : stack.layers) {
      if (layer.description.stack == wanted.stack && layer.description.index == wanted.index) {
        return &layer;
      }
    }
  }
  return nullptr;
}

// stream = stream * factors.stream + added * factors.branch; what was added, to `sum`.
void Join(const ResidualFactors& factors, const FloatMatrix& added, FloatMatrix* stream,
          FloatMatrix* sum) {
  for (size_t i = 0; i < stream->values().size(); ++i) {
    const float part = added.values()[i] * factors.branch;
    stream->values()[i] = stream->values()[i] * factors.stream + part;
    sum->values()[i] += part;
  }
}

// Runs the rows through one layer; gives what it added in all.
Result<FloatMatrix> RunLayer(const Network& network, size_t index, const Layer& layer,
                             FloatMatrix* stream) {
  FloatMatrix sum(stream->rows(), stream->columns());
  const FloatMatrix before = *stream;
  if (layer.description.mixer != MixerKind::kNone) {
    const auto input = network.MixerInput(index, before);
    if (!input) return input;
    const auto added = network.MixerOutput(index, *input);
    if (!added) return added;
    Join(layer.mixer_factors, *added, stream, &sum);
  }
  if (layer.description.has_feed_forward) {
    const auto input = network.FeedForwardInput(index, layer.parallel ? before : *stream);
    if (!input) return input;
    const auto added = network.FeedForwardOutput(index, *input);
    if (!added) return added;
    Join(layer.feed_forward_factors, *added, stream, &sum);
  }
  return sum;
}

}  // namespace

std::vector<uint32_t> TokensForShares(uint64_t vocabulary_size) {
  const uint64_t count = std::min<uint64_t>(kSharesTokens, vocabulary_size);
  std::vector<uint32_t> tokens(count);
  for (uint64_t i = 0; i < count; ++i) {
    tokens[i] = static_cast<uint32_t>(i * vocabulary_size / count);
  }
  return tokens;
}

Result<std::vector<double>> WrittenShares(const Network& network,
                                          std::span<const uint32_t> tokens) {
  const std::vector<LayerDescription>& layers = network.description().layers;
  std::vector<double> shares(layers.size(), 0.0);
  FloatMatrix stream;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (i == 0 || layers[i].stack != layers[i - 1].stack) {
      TG_ASSIGN(auto rows, network.InputRows(tokens));
      stream = std::move(rows);
    }
    const Layer* layer = FindLayer(network, layers[i]);
    if (layer == nullptr) continue;
    const double before = MedianMagnitude(stream);
    TG_ASSIGN(const auto added, RunLayer(network, i, *layer, &stream));
    const double written = MedianMagnitude(added);
    if (written > 0.0) shares[i] = before > 0.0 ? written / before : 1.0;
  }
  return shares;
}

bool CopiesAreInert(const std::vector<double>& shares, const std::vector<size_t>& copied) {
  double of_copied = 0.0;
  double of_others = 0.0;
  size_t others = 0;
  for (size_t layer = 0; layer < shares.size(); ++layer) {
    if (std::find(copied.begin(), copied.end(), layer) != copied.end()) {
      of_copied += shares[layer];
    } else {
      of_others += shares[layer];
      ++others;
    }
  }
  if (copied.empty() || others == 0 || !(of_others > 0.0)) return false;
  return of_copied / static_cast<double>(copied.size()) <
         kInertShare * of_others / static_cast<double>(others);
}

}  // namespace tensorguard::internal
