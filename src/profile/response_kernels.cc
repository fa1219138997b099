#include "profile/response_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "network/missing_parts.h"

namespace tensorguard::internal {
namespace {

Error NotFinite(const std::string& what) {
  return {.kind = ErrorKind::kBadFile,
          .problem = what + " is not finite",
          .found = "NaN, infinity or numbers near the end of float32",
          .advice = "check the weights of that layer with 'tensorguard inspect'"};
}

std::string NameOf(const LayerDescription& layer) {
  return layer.stack.empty() ? fmt::format("layer {}", layer.index)
                             : fmt::format("{} layer {}", layer.stack, layer.index);
}

Result<FloatMatrix> Kernel(const FloatMatrix& left, const FloatMatrix& right,
                           const LayerDescription& layer, std::string_view name) {
  auto kernel = RowProducts(left, right);
  if (!kernel) return kernel;
  DoubleCentre(*kernel);
  if (!CanBeStored(*kernel)) return NotFinite(fmt::format("the {} of {}", name, NameOf(layer)));
  return kernel;
}

double RootMeanSquare(const FloatMatrix& rows) {
  double squares = 0;
  for (const float value : rows.values()) squares += double{value} * value;
  return std::sqrt(squares / static_cast<double>(std::max<size_t>(1, rows.values().size())));
}

// Empty where the stream is all zeros.
std::optional<double> Gain(const FloatMatrix& outputs, const FloatMatrix& stream) {
  const double of_stream = RootMeanSquare(stream);
  if (of_stream == 0) return {};
  return RootMeanSquare(outputs) / of_stream;
}

Result<void> RespondQueryKey(const Network& network, size_t index, const LayerDescription& layer,
                             const FloatMatrix& inputs, LayerResponse& response) {
  TG_ASSIGN(const auto both, network.QueriesAndKeysOf(index, inputs));
  if (!both.has_value()) return {};
  TG_ASSIGN(auto kernel, Kernel(both->queries, both->keys, layer, "query-key response"));
  response.query_key = std::move(kernel);
  return {};
}

Result<void> RespondMixer(const Network& network, size_t index, const LayerDescription& layer,
                          const AnchorRows& anchors, const AskedParts& parts,
                          LayerResponse& response) {
  TG_ASSIGN(const auto inputs, network.MixerInput(index, anchors.inputs));
  if (parts.query_key && layer.mixer == MixerKind::kAttention) {
    auto done = RespondQueryKey(network, index, layer, inputs, response);
    if (!done) return done;
  }
  if (!parts.output_value) return {};
  TG_ASSIGN(const auto outputs, network.MixerOutput(index, inputs));
  TG_ASSIGN(auto kernel, Kernel(outputs, anchors.outputs, layer, "mixer's response"));
  response.output_value = std::move(kernel);
  response.mixer_gain = Gain(outputs, anchors.inputs);
  return {};
}

Result<void> RespondFeedForward(const Network& network, size_t index, const LayerDescription& layer,
                                const AnchorRows& anchors, LayerResponse& response) {
  TG_ASSIGN(const auto inputs, network.FeedForwardInput(index, anchors.inputs));
  const size_t expert_anchors = std::min(inputs.rows(), kExpertAnchors);
  const FloatMatrix first_outputs = FirstRows(anchors.outputs, expert_anchors);
  const auto keep = [&](uint32_t expert, const FloatMatrix& answer) -> Result<void> {
    if (expert >= kExpertsKept) return {};
    TG_ASSIGN(auto kernel, Kernel(FirstRows(answer, expert_anchors), first_outputs, layer,
                                  "response of an expert"));
    response.experts.push_back(std::move(kernel));
    return {};
  };
  TG_ASSIGN(const auto outputs, network.FeedForwardOutput(index, inputs, keep));
  TG_ASSIGN(auto kernel, Kernel(outputs, anchors.outputs, layer, "feed-forward response"));
  response.feed_forward = std::move(kernel);
  response.feed_forward_gain = Gain(outputs, anchors.inputs);
  return {};
}

}  // namespace

Result<AnchorRows> ReadAnchorRows(const Network& network, std::span<const uint32_t> tokens) {
  TG_ASSIGN(auto inputs, network.InputRows(tokens));
  TG_ASSIGN(auto outputs, network.OutputRows(tokens));
  AnchorRows rows = {std::move(inputs), std::move(outputs)};
  if (!CanBeStored(rows.inputs)) return NotFinite("an embedding of the anchors");
  if (!CanBeStored(rows.outputs)) return NotFinite("an output row of the anchors");
  return rows;
}

Result<LayerResponse> RespondLayer(const Network& network, size_t layer, const AnchorRows& anchors,
                                   const AskedParts& parts) {
  const LayerDescription& description = network.description().layers[layer];
  LayerResponse response = {.stack = description.stack,
                            .index = description.index,
                            .mixer = description.mixer,
                            .mixer_name = description.mixer_name,
                            .expert_count = description.experts};
  if (description.mixer != MixerKind::kNone && (parts.query_key || parts.output_value)) {
    TG_TRY(RespondMixer(network, layer, description, anchors, parts, response));
  }
  if (description.has_feed_forward && parts.feed_forward) {
    TG_TRY(RespondFeedForward(network, layer, description, anchors, response));
  }
  return response;
}

std::vector<std::string> NotesOnLayers(std::span<const LayerResponse> layers) {
  std::map<std::string, std::vector<uint32_t>> lacking;
  for (const LayerResponse& layer : layers) {
    const std::string of =
        layer.stack.empty() ? std::string() : fmt::format(" of the {}", layer.stack);
    const auto note = [&](const std::string& what) {
      lacking[what + of + ": layers "].push_back(layer.index);
    };
    if (layer.mixer == MixerKind::kNone) note("nothing that mixes tokens");
    if (layer.mixer == MixerKind::kRecurrent) {
      note("no query-key kernel (" + layer.mixer_name + ")");
    }
    if (layer.mixer == MixerKind::kAttention && layer.query_key.values().empty()) {
      note("no query-key kernel (the config does not tell the number of heads)");
    }
    if (layer.feed_forward.values().empty()) note("no feed-forward kernel");
    if (layer.expert_count > kExpertsKept) {
      note(fmt::format("kernels and sketches of the first {} of {} experts only", kExpertsKept,
                       layer.expert_count));
    }
  }
  std::vector<std::string> notes;
  for (const auto& [what, where] : lacking) notes.push_back(what + NumberRanges(where));
  return notes;
}

}  // namespace tensorguard::internal
