// tensorguard inspect: what a model is made of and what it lacks, reading no more of its weights
// than tells that they are no zeros, or what a fingerprint holds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/inspect_missing.h"
#include "cli/models/models.h"
#include "cli/models/sources.h"
#include "cli/output/inspect_fingerprint.h"
#include "cli/output/text_layout.h"
#include "cli/output/tokenizer_summary.h"

namespace tensorguard::internal::cli {
namespace {

struct Tally {
  uint64_t tensors = 0;
  uint64_t elements = 0;
};

// What the summary adds up.
struct Summary {
  std::map<std::pair<Role, std::string_view>, Tally> roles;  // in the order of the roles
  std::map<std::string_view, uint64_t> dtypes;               // tensors of each
  std::map<std::string, uint64_t> quantisations;             // tensors of each
  std::set<std::string> files;
  uint64_t stored_bytes = 0;
};

Summary Summarise(const Model& model) {
  Summary summary;
  const auto& tensors = model.weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole& role = model.architecture.roles[i];
    const std::string_view shown = ShownRoleName(role);
    // All biases are one row, behind the matrices and vectors they go with.
    Tally& tally = summary.roles[{shown == "bias" ? Role::kNorm : role.role, shown}];
    ++tally.tensors;
    tally.elements += tensors[i].element_count;
    ++summary.dtypes[InfoOf(tensors[i].dtype).name];
    if (!tensors[i].quantisation.empty()) ++summary.quantisations[tensors[i].quantisation];
    summary.files.insert(tensors[i].file);
    summary.stored_bytes += tensors[i].stored_bytes;
  }
  return summary;
}

OrderedJson TensorToJson(const TensorInfo& tensor, const TensorRole& role) {
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

using Missing = Result<std::vector<MissingPart>>;

// All but the tensors.
OrderedJson ToJson(const Model& model, const Summary& summary, const TokenizerReading& tokenizer,
                   const Missing& missing) {
  const Architecture& architecture = model.architecture;
  OrderedJson json = ResultObject("inspect");
  json["name"] = model.name;
  json["path"] = model.path.string();
  json["architecture"] = architecture.name;
  json["known_by"] = architecture.known_by;
  json["parameters"] = model.parameter_count();
  json["layers"] = architecture.layers;
  json["tied_head"] = architecture.tied_head;
  json["tokenizer"] = TokenizerToJson(tokenizer);
  json["adapter"] = model.is_adapter;
  if (model.is_adapter) json["base"] = model.base_name;
  json["stored_bytes"] = summary.stored_bytes;
  json["files"] = summary.files;
  json["dtypes"] = summary.dtypes;
  if (!summary.quantisations.empty()) json["quantisation"] = summary.quantisations;
  json["missing"] = MissingToJson(missing);
  json["notes"] = OrderedJson::array();
  if (tokenizer.problem) json["notes"].push_back(DescribeError(*tokenizer.problem));
  json["unassigned"] = OrderedJson::array();
  for (const size_t i : architecture.unassigned) {
    json["unassigned"].push_back(model.weights->tensors()[i].name);
  }
  return json;
}

// The object of ToJson with its last field, the tensors, which are printed one by one: as one
// object, those of a model with many experts would take more memory than all else.
Result<void> PrintJsonWithTensors(const Model& model, const OrderedJson& object, Console& console) {
  constexpr size_t kTensorsPerFlush = 1000;
  const auto text_of = [](const OrderedJson& json) {
    std::string text = JsonText(json);
    text.pop_back();  // the end of the line
    return text;
  };
  std::string head = text_of(object);
  head.pop_back();  // the object's brace
  console.Print(head + ",\"tensors\":[");
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const OrderedJson tensor =
        TensorToJson(model.weights->tensors()[i], model.architecture.roles[i]);
    console.Print((i == 0 ? "" : ",") + text_of(tensor));
    if (i % kTensorsPerFlush != 0) continue;
    if (auto flushed = console.Flush(); !flushed) return flushed;
  }
  console.Print("]}\n");
  return {};
}

std::string SummaryText(const Model& model, const Summary& summary,
                        const TokenizerReading& tokenizer, const Missing& missing) {
  const Architecture& architecture = model.architecture;
  std::vector<std::string> dtypes;
  for (const auto& [name, count] : summary.dtypes) {
    dtypes.push_back(fmt::format("{} ({})", name, WithThousands(count)));
  }
  const size_t files = summary.files.size();
  std::vector<std::vector<std::string>> rows = {
      {"name", EscapeControl(model.name)},
      {"architecture",
       fmt::format("{} (known by {})", EscapeControl(architecture.name), architecture.known_by)},
      {"parameters", WithThousands(model.parameter_count())},
      {"layers", WithThousands(architecture.layers)},
      {"tensors", fmt::format("{} in {} file{}, {}", WithThousands(architecture.roles.size()),
                              files, files == 1 ? "" : "s", ReadableBytes(summary.stored_bytes))},
      {"types", fmt::format("{}", fmt::join(dtypes, ", "))},
      {"output head", architecture.tied_head ? "tied to the embedding" : "not tied"},
      {"tokenizer", TokenizerText(tokenizer)},
  };
  for (const auto& [name, count] : summary.quantisations) {
    rows.push_back({"quantised", fmt::format("{} ({})", name, WithThousands(count))});
  }
  if (model.is_adapter) {
    rows.push_back({"adapter", "merged into " + EscapeControl(model.base_name)});
  }
  const size_t unassigned = architecture.unassigned.size();
  rows.push_back(
      {"unassigned", fmt::format("{} {} whose role is not known", WithThousands(unassigned),
                                 unassigned == 1 ? "matrix" : "matrices")});
  for (auto& row : MissingRows(missing)) rows.push_back(std::move(row));
  return Columns(rows, {Align::kLeft, Align::kLeft});
}

std::string RoleTable(const Summary& summary) {
  std::vector<std::vector<std::string>> rows = {{"role", "tensors", "elements"}};
  for (const auto& [role, tally] : summary.roles) {
    rows.push_back(
        {std::string(role.second), WithThousands(tally.tensors), WithThousands(tally.elements)});
  }
  return Columns(rows, {Align::kLeft, Align::kRight, Align::kRight});
}

std::string TensorTableText(const Model& model) {
  std::vector<std::vector<std::string>> rows = {{"layer", "role", "type", "shape", "tensor"}};
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const TensorInfo& tensor = model.weights->tensors()[i];
    const TensorRole& role = model.architecture.roles[i];
    const std::string expert = role.expert ? fmt::format(" of expert {}", *role.expert) : "";
    rows.push_back(
        {role.layer ? std::to_string(*role.layer) : "-",
         fmt::format("{}{}{}", RoleName(role.role), role.is_bias ? " bias" : "", expert),
         std::string(InfoOf(tensor.dtype).name),
         tensor.shape.empty() ? "scalar" : fmt::format("{}", fmt::join(tensor.shape, "x")),
         EscapeControl(tensor.name)});
  }
  return Columns(rows, {Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
}

}  // namespace

Result<ExitStatus> RunInspect(const InspectOptions& options, Console& console) {
  if (IsFingerprintFile(options.model)) {
    return InspectFingerprint(options.model, options.list_tensors, console);
  }
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  const auto model = OpenWithBase(options.model, options.base);
  if (!model) return model.error();
  const Summary summary = Summarise(*model);
  const TokenizerReading tokenizer = ReadTokenizer(*model);
  const Missing missing = WhatIsMissing(*model);
  if (console.json()) {
    auto printed =
        PrintJsonWithTensors(*model, ToJson(*model, summary, tokenizer, missing), console);
    if (!printed) return std::move(printed).error();
    return ExitStatus::kDone;
  }
  console.Print(SummaryText(*model, summary, tokenizer, missing) + "\n" + RoleTable(summary));
  if (options.list_tensors) console.Print("\n" + TensorTableText(*model));
  if (tokenizer.problem) console.Print("\nnote: " + DescribeError(*tokenizer.problem) + "\n");
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
