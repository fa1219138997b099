#include "fingerprint/file/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/json/json_members.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_tables.h"
#include "fingerprint/file/matrix_budget.h"
#include "fingerprint/file/weight_index.h"

namespace tensorguard::internal {
namespace {

// More than any model has: bounds on what a hostile file makes us allocate.
constexpr size_t kLargestIndexBytes = size_t{32} << 20;
constexpr size_t kMostNotes = 10'000;
constexpr uint64_t kLargestCount = uint64_t{1} << 53;
constexpr uint64_t kLargestId = 0xffff'fffe;

constexpr std::array<std::string_view, 2> kAnchorKinds = {"tokens", "rows"};
// More than any frame has that this program makes.
constexpr uint64_t kMostFrameAxes = 64;
// As kFormKinds.
constexpr std::array<std::string_view, kFormKinds.size()> kFormNames = {"query_key", "output_value",
                                                                        "feed_forward", "gates"};
constexpr std::array<std::string_view, 3> kMixerKinds = {"none", "attention", "recurrent"};

Json LayerToJson(const LayerResponse& layer) {
  Json json = {{"index", layer.index},
               {"mixer", kMixerKinds[static_cast<size_t>(layer.mixer)]},
               {"mixer_name", layer.mixer_name},
               {"experts", layer.expert_count},
               {"expert_kernels", layer.experts.size()},
               {"kernels", Json::array()}};
  if (!layer.stack.empty()) json["stack"] = layer.stack;
  if (layer.mixer_gain) json["mixer_gain"] = true;
  if (layer.feed_forward_gain) json["feed_forward_gain"] = true;
  for (const KernelTable& kind : kKernelTables) {
    if (!(layer.*kind.kernel).values().empty()) json["kernels"].push_back(kind.name);
  }
  return json;
}

Result<LayerResponse> LayerFromJson(const Json& json, size_t anchors, const std::string& where,
                                    MatrixBudget& budget) {
  JsonMembers members(json, where);
  LayerResponse layer = {
      .stack = members.TextOr("stack", ""),
      .index = static_cast<uint32_t>(members.Number("index", 0, kLargestId)),
      .mixer = static_cast<MixerKind>(members.Choice("mixer", kMixerKinds)),
      .mixer_name = members.Text("mixer_name"),
      .expert_count = static_cast<uint32_t>(members.Number("experts", 0, kLargestId))};
  const uint64_t experts = members.Number("expert_kernels", 0, kExpertsKept);
  if (members.FlagOrFalse("mixer_gain")) layer.mixer_gain = 0;
  if (members.FlagOrFalse("feed_forward_gain")) layer.feed_forward_gain = 0;
  const Json& kernels = members.Array("kernels", kKernelTables.size());
  TG_TRY(members.Finish());
  for (const Json& name : kernels) {
    const auto known =
        std::find_if(kKernelTables.begin(), kKernelTables.end(),
                     [&](const KernelTable& kind) { return name == Json(kind.name); });
    if (known == kKernelTables.end()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = where + " has an unknown kernel"};
    }
    layer.*known->kernel = budget.Take(anchors, anchors);
  }
  const size_t expert_anchors = std::min(anchors, kExpertAnchors);
  for (uint64_t expert = 0; expert < experts; ++expert) {
    layer.experts.push_back(budget.Take(expert_anchors, expert_anchors));
  }
  return layer;
}

struct IndexParts {
  const Json& layers;
  const Json& weight_kinds;
  const Json& weights;
  const Json& notes;
};

Json FormsToJson(const LayerForms& layer) {
  Json json = {{"index", layer.index}, {"forms", Json::array()}};
  if (!layer.stack.empty()) json["stack"] = layer.stack;
  for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
    if (!layer.forms[kind].values().empty()) json["forms"].push_back(kFormNames[kind]);
  }
  if (layer.units.count() > 0) json["units"] = layer.units.count();
  if (!layer.units.gates.values().empty()) json["gated"] = true;
  return json;
}

Result<LayerForms> FormsFromJson(const Json& json, const FrameForms& frame,
                                 const std::string& where, MatrixBudget& budget) {
  JsonMembers members(json, where);
  LayerForms layer = {.stack = members.TextOr("stack", ""),
                      .index = static_cast<uint32_t>(members.Number("index", 0, kLargestId))};
  const Json& forms = members.Array("forms", kFormNames.size());
  const size_t units = members.NumberIfThere("units", kMostFrameUnits).value_or(0);
  const bool gated = members.FlagOrFalse("gated");
  TG_TRY(members.Finish());
  for (const Json& name : forms) {
    const auto known = std::find_if(kFormNames.begin(), kFormNames.end(),
                                    [&](std::string_view form) { return name == Json(form); });
    if (known == kFormNames.end()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = where + " has an unknown form"};
    }
    layer.forms[static_cast<size_t>(known - kFormNames.begin())] =
        budget.Take(frame.axes, frame.axes);
  }
  layer.units.ups = budget.Take(units, frame.unit_axes);
  layer.units.downs = budget.Take(units, frame.unit_axes);
  if (gated) layer.units.gates = budget.Take(units, frame.unit_axes);
  return layer;
}

Result<void> AddFrame(const Json& layers, MatrixBudget& budget, FrameForms& frame) {
  for (size_t i = 0; i < layers.size(); ++i) {
    TG_ASSIGN(auto layer,
              FormsFromJson(layers[i], frame, fmt::format("frame_layers[{}]", i), budget));
    frame.layers.push_back(std::move(layer));
  }
  return {};
}

Result<void> AddParts(const IndexParts& parts, MatrixBudget& budget, Fingerprint& fingerprint) {
  const Json& layers = parts.layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    TG_ASSIGN(auto layer, LayerFromJson(layers[i], fingerprint.anchors.size(),
                                        fmt::format("layers[{}]", i), budget));
    fingerprint.layers.push_back(std::move(layer));
  }
  TG_ASSIGN(auto weights, WeightsOfIndex(parts.weight_kinds, parts.weights, budget));
  fingerprint.weights = std::move(weights);
  for (const Json& note : parts.notes) {
    if (!note.is_string()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = "a note is no text"};
    }
    fingerprint.notes.push_back(note.get<std::string>());
  }
  return budget.Finish();
}

}  // namespace

std::string IndexToText(const Fingerprint& fingerprint) {
  Json json = {{"model_name", fingerprint.model_name},
               {"architecture", fingerprint.architecture},
               {"parameters", fingerprint.parameters},
               {"vocabulary_size", fingerprint.vocabulary_size},
               {"hidden_size", fingerprint.hidden_size},
               {"tied_head", fingerprint.tied_head},
               {"has_head", fingerprint.has_head},
               {"anchor_kind", kAnchorKinds[static_cast<size_t>(fingerprint.anchor_kind)]},
               {"anchor_list_version", fingerprint.anchor_list_version},
               {"anchors", fingerprint.anchors.size()},
               {"embedding_sketch", !fingerprint.embedding_sketch.values().empty()},
               {"head_sketch", !fingerprint.head_sketch.values().empty()},
               {"layers", Json::array()},
               {"frame_axes", fingerprint.frame.axes},
               {"frame_unit_axes", fingerprint.frame.unit_axes},
               {"frame_tokens", !fingerprint.frame.token_inputs.values().empty()},
               {"frame_layers", Json::array()},
               {"notes", fingerprint.notes}};
  for (const LayerResponse& layer : fingerprint.layers) {
    json["layers"].push_back(LayerToJson(layer));
  }
  if (!fingerprint.missing.empty()) {
    json["missing"] = fingerprint.missing;
    json["known_permille"] = fingerprint.known_permille;
  }
  WeightIndex weights = IndexOfWeights(fingerprint.weights);
  json["weight_kinds"] = std::move(weights.kinds);
  json["weights"] = std::move(weights.weights);
  for (const LayerForms& layer : fingerprint.frame.layers) {
    json["frame_layers"].push_back(FormsToJson(layer));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Fingerprint> IndexFromText(std::string_view text, uint64_t file_bytes) {
  if (text.size() > kLargestIndexBytes) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the index is too long",
                 .found = fmt::format("{} bytes", text.size()),
                 .expected = fmt::format("at most {}", kLargestIndexBytes)};
  }
  TG_ASSIGN(const auto json, ParseJson(text));
  JsonMembers members(json, "the index");
  MatrixBudget budget(file_bytes);
  Fingerprint fingerprint;
  fingerprint.model_name = members.Text("model_name");
  fingerprint.architecture = members.Text("architecture");
  fingerprint.parameters = members.Number("parameters", 0, kLargestCount);
  fingerprint.vocabulary_size = members.Number("vocabulary_size", 0, kLargestCount);
  fingerprint.hidden_size = members.Number("hidden_size", 0, kLargestCount);
  fingerprint.tied_head = members.Flag("tied_head");
  fingerprint.has_head = members.Flag("has_head");
  fingerprint.anchor_kind = static_cast<AnchorKind>(members.Choice("anchor_kind", kAnchorKinds));
  fingerprint.anchor_list_version =
      static_cast<int>(members.Number("anchor_list_version", 1, 1'000'000));
  const uint64_t anchors = members.Number("anchors", 0, kMostAnchors);
  fingerprint.anchors.resize(anchors);
  fingerprint.anchor_tokens.resize(anchors);
  for (FloatMatrix* gram :
       {&fingerprint.input_gram, &fingerprint.output_gram, &fingerprint.cross_gram}) {
    *gram = budget.Take(anchors, anchors);
  }
  if (members.Flag("embedding_sketch")) {
    fingerprint.embedding_sketch = budget.Take(anchors, kSketchSize);
  }
  if (members.Flag("head_sketch")) fingerprint.head_sketch = budget.Take(anchors, kSketchSize);
  const Json& layers = members.Array("layers", kMostLayers);
  const Json& weight_kinds = members.Array("weight_kinds", kMostWeights);
  const Json& weights = members.Array("weights", kMostWeights);
  const Json& notes = members.Array("notes", kMostNotes);
  fingerprint.frame.axes = members.Number("frame_axes", 0, kMostFrameAxes);
  fingerprint.frame.unit_axes = members.Number("frame_unit_axes", 0, kMostFrameAxes);
  const bool frame_tokens = members.Flag("frame_tokens");
  const Json& frame_layers =
      members.Array("frame_layers", fingerprint.frame.axes == 0 ? 0 : kMostLayers);
  const bool is_whole = !json.contains("missing");
  static const Json kNothing = Json::array();
  const Json& missing = is_whole ? kNothing : members.Array("missing", kMostNotes);
  if (!is_whole) {
    fingerprint.known_permille = static_cast<uint32_t>(members.Number("known_permille", 0, 1000));
  }
  TG_TRY(members.Finish());
  for (const Json& part : missing) {
    if (!part.is_string()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = "what is missing is no text"};
    }
    fingerprint.missing.push_back(part.get<std::string>());
  }
  if (frame_tokens) {
    FrameForms& frame = fingerprint.frame;
    frame.token_inputs = budget.Take(fingerprint.anchors.size(), frame.unit_axes);
    frame.token_outputs = budget.Take(fingerprint.anchors.size(), frame.unit_axes);
  }
  TG_TRY(AddFrame(frame_layers, budget, fingerprint.frame));
  TG_TRY(AddParts({layers, weight_kinds, weights, notes}, budget, fingerprint));
  return fingerprint;
}

}  // namespace tensorguard::internal
