#include "api/json/inspect_json.h"

#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

OrderedJson TokenizerToJson(const TokenizerReading& reading) {
  if (!reading.summary) return nullptr;
  return {{"kind", reading.summary->kind},
          {"tokens", reading.summary->tokens},
          {"anchors", reading.summary->anchors},
          {"file", reading.summary->file}};
}

OrderedJson WeightToJson(const WeightSummary& weight) {
  OrderedJson json = {{"name", weight.tensor}, {"role", ShownRoleName(weight.role)}};
  json["layer"] = weight.role.layer ? OrderedJson(*weight.role.layer) : OrderedJson();
  json["dtype"] = weight.dtype;
  json["shape"] =
      weight.is_vector ? OrderedJson{weight.rows} : OrderedJson{weight.rows, weight.columns};
  if (weight.role.expert) json["expert"] = *weight.role.expert;
  json["norm"] = weight.norm;
  return json;
}

// [{"what", "found", "expected"}], or null where it could not be told.
OrderedJson MissingToJson(const Result<std::vector<MissingPart>>& missing) {
  if (!missing) return nullptr;
  OrderedJson parts = OrderedJson::array();
  for (const MissingPart& part : *missing) {
    parts.push_back({{"what", part.what}, {"found", part.found}, {"expected", part.expected}});
  }
  return parts;
}

OrderedJson NamesToJson(const Model& model, const std::vector<size_t>& tensors) {
  OrderedJson names = OrderedJson::array();
  for (const size_t i : tensors) names.push_back(model.weights->tensors()[i].name);
  return names;
}

OrderedJson PartsToJson(const std::vector<InspectedPart>& parts) {
  OrderedJson json = OrderedJson::array();
  for (const InspectedPart& part : parts) {
    json.push_back({{"name", part.name},
                    {"parameters", part.parameters},
                    {"share", part.share},
                    {"layers", part.layers},
                    {"mixers", part.mixers},
                    {"feed_forwards", part.feed_forwards},
                    {"named_share", part.named_share}});
  }
  return json;
}

OrderedJson HeadToJson(const StoredHead& head, bool tied) {
  OrderedJson json = {{"stored", head.stored}, {"tied", tied}};
  json["equals_embedding"] =
      head.equals_embedding ? OrderedJson(*head.equals_embedding) : OrderedJson();
  return json;
}

OrderedJson DeclaredToJson(const std::vector<DeclaredBase>& declared) {
  OrderedJson json = OrderedJson::array();
  for (const DeclaredBase& base : declared) {
    json.push_back({{"base", base.name}, {"where", base.where}});
  }
  return json;
}

}  // namespace

OrderedJson InspectedModelToJson(const InspectedModel& inspected) {
  const Model& model = inspected.model;
  const TensorSummary& summary = inspected.summary;
  const Architecture& architecture = model.architecture;
  OrderedJson json = ResultObject("inspect");
  json["name"] = model.name;
  json["path"] = model.path.string();
  json["architecture"] = architecture.name;
  json["known_by"] = architecture.known_by;
  json["parameters"] = model.parameter_count();
  json["layers"] = architecture.layers;
  json["tied_head"] = architecture.tied_head;
  json["output_head"] = HeadToJson(inspected.head, architecture.tied_head);
  json["parts"] = PartsToJson(inspected.parts);
  json["declared"] = DeclaredToJson(inspected.declared);
  json["tokenizer"] = TokenizerToJson(inspected.tokenizer);
  json["adapter"] = model.is_adapter;
  if (model.is_adapter) json["base"] = model.base_name;
  json["stored_bytes"] = summary.stored_bytes;
  json["files"] = summary.files;
  json["dtypes"] = summary.dtypes;
  if (!summary.quantisations.empty()) json["quantisation"] = summary.quantisations;
  json["missing"] = MissingToJson(inspected.missing);
  json["zero"] = NamesToJson(model, inspected.odd.zero);
  json["constant"] = NamesToJson(model, inspected.odd.constant);
  json["not_finite"] = NamesToJson(model, inspected.odd.not_finite);
  json["notes"] = model.notes;
  if (const auto& problem = inspected.tokenizer.problem) {
    json["notes"].push_back(DescribeError(*problem));
  }
  json["unassigned"] = OrderedJson::array();
  for (const size_t i : architecture.unassigned) {
    json["unassigned"].push_back(model.weights->tensors()[i].name);
  }
  return json;
}

OrderedJson InspectedTensorToJson(const TensorInfo& tensor, const TensorRole& role) {
  OrderedJson json = {{"name", tensor.name}, {"role", ShownRoleName(role)}};
  json["layer"] = role.layer ? OrderedJson(*role.layer) : OrderedJson();
  json["dtype"] = InfoOf(tensor.dtype).name;
  json["shape"] = tensor.shape;
  json["file"] = tensor.file;
  if (!tensor.quantisation.empty()) json["quantisation"] = tensor.quantisation;
  if (role.is_bias) json["bias_of"] = RoleName(role.role);
  if (role.expert) json["expert"] = *role.expert;
  if (role.stacked_experts) json["stacked_experts"] = true;
  if (role.shared_expert) json["shared_expert"] = true;
  if (role.cross_attention) json["cross_attention"] = true;
  if (role.input_major) json["input_major"] = true;
  if (role.packing != Packing::kNone) json["packing"] = PackingName(role.packing);
  if (!role.stack.empty()) json["stack"] = role.stack;
  return json;
}

OrderedJson InspectedFingerprintToJson(const Fingerprint& print, const std::string& path) {
  OrderedJson json = ResultObject("inspect");
  json["name"] = print.model_name;
  json["path"] = path;
  json["fingerprint_version"] = kFingerprintVersion;
  json["architecture"] = print.architecture;
  json["parameters"] = print.parameters;
  json["layers"] = print.layers.size();
  json["vocabulary_size"] = print.vocabulary_size;
  json["hidden_size"] = print.hidden_size;
  json["tied_head"] = print.tied_head;
  json["anchors"] = {{"kind", print.anchor_kind == AnchorKind::kTokens ? "tokens" : "rows"},
                     {"count", print.anchors.size()}};
  json["kernels"] = KernelCount(print);
  json["missing"] = print.missing;
  json["known_permille"] = print.known_permille;
  json["notes"] = print.notes;
  json["tensors"] = OrderedJson::array();
  for (const WeightSummary& weight : print.weights) {
    json["tensors"].push_back(WeightToJson(weight));
  }
  return json;
}

}  // namespace tensorguard::internal
