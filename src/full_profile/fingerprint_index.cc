#include "full_profile/fingerprint_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "formats/dtype.h"
#include "full_profile/fingerprint_tables.h"
#include "full_profile/json_members.h"

namespace tensorguard {
namespace {

// More than any model has: bounds on what a hostile file makes us allocate.
constexpr size_t kMostWeights = 100'000;
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

std::vector<std::string_view> RoleNames() {
  std::vector<std::string_view> names;
  for (int role = 0; role <= static_cast<int>(Role::kOther); ++role) {
    names.push_back(RoleName(static_cast<Role>(role)));
  }
  return names;
}

std::vector<std::string_view> PackingNames() {
  std::vector<std::string_view> names;
  for (int packing = 0; packing <= static_cast<int>(Packing::kQuartersQueryValueKey); ++packing) {
    names.push_back(PackingName(static_cast<Packing>(packing)));
  }
  return names;
}

std::vector<std::string_view> DTypeNames() {
  std::vector<std::string_view> names;
  for (const DTypeInfo& info : AllDTypes()) names.push_back(info.name);
  for (const DTypeInfo& info : AllBlockTypes()) names.push_back(info.name);
  return names;
}

// Matrices as large as the file may hold: every number takes a byte of it or more.
class MatrixBudget {
 public:
  explicit MatrixBudget(uint64_t file_bytes) : numbers_left_(file_bytes) {}

  // Empty after the budget is spent.
  FloatMatrix Take(size_t rows, size_t columns) {
    if (spent_ || rows * columns > numbers_left_) {
      spent_ = true;
      return {};
    }
    numbers_left_ -= rows * columns;
    return FloatMatrix(rows, columns);
  }

  Result<void> Finish() const {
    if (!spent_) return {};
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the index tells of more numbers than the file has bytes"};
  }

 private:
  uint64_t numbers_left_;
  bool spent_ = false;
};

Json LayerToJson(const LayerResponse& layer) {
  Json json = {{"index", layer.index},
               {"mixer", kMixerKinds[static_cast<size_t>(layer.mixer)]},
               {"mixer_name", layer.mixer_name},
               {"experts", layer.expert_count},
               {"expert_kernels", layer.experts.size()},
               {"kernels", Json::array()}};
  if (!layer.stack.empty()) json["stack"] = layer.stack;
  for (const KernelTable& kind : kKernelTables) {
    if (!(layer.*kind.kernel).values().empty()) json["kernels"].push_back(kind.name);
  }
  return json;
}

Json WeightToJson(const WeightSummary& weight) {
  const TensorRole& role = weight.role;
  Json json = {{"tensor", weight.tensor},
               {"role", RoleName(role.role)},
               {"rows", weight.rows},
               {"columns", weight.columns},
               {"dtype", weight.dtype}};
  if (!weight.quantisation.empty()) json["quantisation"] = weight.quantisation;
  if (weight.is_vector) json["vector"] = true;
  if (!weight.sketch.values().empty()) json["sketch"] = true;
  if (role.is_bias) json["bias"] = true;
  if (role.layer) json["layer"] = *role.layer;
  if (role.expert) json["expert"] = *role.expert;
  if (role.shared_expert) json["shared_expert"] = true;
  if (role.input_major) json["input_major"] = true;
  if (role.cross_attention) json["cross_attention"] = true;
  if (role.packing != Packing::kNone) json["packing"] = PackingName(role.packing);
  if (!role.stack.empty()) json["stack"] = role.stack;
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
  const Json& kernels = members.Array("kernels", kKernelTables.size());
  if (auto done = members.Finish(); !done) return std::move(done).error();
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

Result<WeightSummary> WeightFromJson(const Json& json, const std::string& where,
                                     MatrixBudget& budget) {
  static const std::vector<std::string_view> kRoles = RoleNames();
  static const std::vector<std::string_view> kPackings = PackingNames();
  static const std::vector<std::string_view> kDTypes = DTypeNames();
  JsonMembers members(json, where);
  WeightSummary weight;
  weight.tensor = members.Text("tensor");
  weight.rows = members.Number("rows", 1, kLargestCount);
  weight.columns = members.Number("columns", 1, kLargestCount);
  weight.dtype = kDTypes[members.Choice("dtype", kDTypes)];
  weight.quantisation = members.TextOr("quantisation", "");
  weight.is_vector = members.FlagOrFalse("vector");
  const bool sketch = members.FlagOrFalse("sketch");
  TensorRole& role = weight.role;
  role.role = static_cast<Role>(members.Choice("role", kRoles));
  role.is_bias = members.FlagOrFalse("bias");
  role.layer = members.NumberIfThere("layer", kLargestId);
  role.expert = members.NumberIfThere("expert", kLargestId);
  role.shared_expert = members.FlagOrFalse("shared_expert");
  role.input_major = members.FlagOrFalse("input_major");
  role.cross_attention = members.FlagOrFalse("cross_attention");
  if (json.is_object() && json.contains("packing")) {
    role.packing = static_cast<Packing>(members.Choice("packing", kPackings));
  }
  role.stack = members.TextOr("stack", "");
  if (auto done = members.Finish(); !done) return std::move(done).error();
  if (!CheckedMultiply(weight.rows, weight.columns) || (weight.is_vector && weight.columns != 1)) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = where + " has an impossible shape",
                 .found = fmt::format("{} rows, {} columns", weight.rows, weight.columns)};
  }
  if (sketch) weight.sketch = budget.Take(weight.is_vector ? 1 : kSketchSize, kSketchSize);
  if (weight.columns >= 4) weight.two_of_four_fraction = 0;
  if (weight.columns >= 32) weight.distinct_per_32 = 0;
  if (weight.columns >= 256) weight.distinct_per_256 = 0;
  return weight;
}

Json FormsToJson(const LayerForms& layer) {
  Json json = {{"index", layer.index}, {"forms", Json::array()}};
  if (!layer.stack.empty()) json["stack"] = layer.stack;
  for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
    if (!layer.forms[kind].values().empty()) json["forms"].push_back(kFormNames[kind]);
  }
  return json;
}

Result<LayerForms> FormsFromJson(const Json& json, size_t axes, const std::string& where,
                                 MatrixBudget& budget) {
  JsonMembers members(json, where);
  LayerForms layer = {.stack = members.TextOr("stack", ""),
                      .index = static_cast<uint32_t>(members.Number("index", 0, kLargestId))};
  const Json& forms = members.Array("forms", kFormNames.size());
  if (auto done = members.Finish(); !done) return std::move(done).error();
  for (const Json& name : forms) {
    const auto known = std::find_if(kFormNames.begin(), kFormNames.end(),
                                    [&](std::string_view form) { return name == Json(form); });
    if (known == kFormNames.end()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = where + " has an unknown form"};
    }
    layer.forms[static_cast<size_t>(known - kFormNames.begin())] = budget.Take(axes, axes);
  }
  return layer;
}

Result<void> AddFrame(const Json& layers, MatrixBudget& budget, FrameForms& frame) {
  for (size_t i = 0; i < layers.size(); ++i) {
    auto layer = FormsFromJson(layers[i], frame.axes, fmt::format("frame_layers[{}]", i), budget);
    if (!layer) return std::move(layer).error();
    frame.layers.push_back(*std::move(layer));
  }
  return {};
}

Result<void> AddParts(const Json& layers, const Json& weights, const Json& notes,
                      MatrixBudget& budget, FullFingerprint& fingerprint) {
  for (size_t i = 0; i < layers.size(); ++i) {
    auto layer =
        LayerFromJson(layers[i], fingerprint.anchors.size(), fmt::format("layers[{}]", i), budget);
    if (!layer) return std::move(layer).error();
    fingerprint.layers.push_back(*std::move(layer));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    auto weight = WeightFromJson(weights[i], fmt::format("weights[{}]", i), budget);
    if (!weight) return std::move(weight).error();
    fingerprint.weights.push_back(*std::move(weight));
  }
  for (const Json& note : notes) {
    if (!note.is_string()) {
      return Error{.kind = ErrorKind::kBadFile, .problem = "a note is no text"};
    }
    fingerprint.notes.push_back(note.get<std::string>());
  }
  return budget.Finish();
}

}  // namespace

std::string IndexToText(const FullFingerprint& fingerprint) {
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
               {"weights", Json::array()},
               {"frame_axes", fingerprint.frame.axes},
               {"frame_layers", Json::array()},
               {"notes", fingerprint.notes}};
  for (const LayerResponse& layer : fingerprint.layers) {
    json["layers"].push_back(LayerToJson(layer));
  }
  for (const LayerForms& layer : fingerprint.frame.layers) {
    json["frame_layers"].push_back(FormsToJson(layer));
  }
  for (const WeightSummary& weight : fingerprint.weights) {
    json["weights"].push_back(WeightToJson(weight));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<FullFingerprint> IndexFromText(std::string_view text, uint64_t file_bytes) {
  if (text.size() > kLargestIndexBytes) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the index is too long",
                 .found = fmt::format("{} bytes", text.size()),
                 .expected = fmt::format("at most {}", kLargestIndexBytes)};
  }
  const auto json = ParseJson(text);
  if (!json) return json.error();
  JsonMembers members(*json, "the index");
  MatrixBudget budget(file_bytes);
  FullFingerprint fingerprint;
  fingerprint.model_name = members.Text("model_name");
  fingerprint.architecture = members.Text("architecture");
  fingerprint.parameters = members.Number("parameters", 0, kLargestCount);
  fingerprint.vocabulary_size = members.Number("vocabulary_size", 1, kLargestCount);
  fingerprint.hidden_size = members.Number("hidden_size", 1, kLargestCount);
  fingerprint.tied_head = members.Flag("tied_head");
  fingerprint.has_head = members.Flag("has_head");
  fingerprint.anchor_kind = static_cast<AnchorKind>(members.Choice("anchor_kind", kAnchorKinds));
  fingerprint.anchor_list_version =
      static_cast<int>(members.Number("anchor_list_version", 1, 1'000'000));
  const uint64_t anchors = members.Number("anchors", 1, kMostAnchors);
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
  const Json& weights = members.Array("weights", kMostWeights);
  const Json& notes = members.Array("notes", kMostNotes);
  fingerprint.frame.axes = members.Number("frame_axes", 0, kMostFrameAxes);
  const Json& frame_layers =
      members.Array("frame_layers", fingerprint.frame.axes == 0 ? 0 : kMostLayers);
  if (auto done = members.Finish(); !done) return std::move(done).error();
  if (auto added = AddFrame(frame_layers, budget, fingerprint.frame); !added) {
    return std::move(added).error();
  }
  if (auto added = AddParts(layers, weights, notes, budget, fingerprint); !added) {
    return std::move(added).error();
  }
  return fingerprint;
}

}  // namespace tensorguard
