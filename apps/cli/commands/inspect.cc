// tensorguard inspect: what a model is made of and what it lacks, reading no more of its weights
// than tells that they are no zeros, or what a fingerprint holds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/inspection/inspected_model.h"
#include "api/json/inspect_json.h"
#include "api/reading/sources.h"
#include "base/readable_bytes.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/inspect_fingerprint.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

// The object with its last field, the tensors, which are printed one by one.
Result<void> PrintJsonWithTensors(const InspectedModel& inspected, Console& console) {
  constexpr size_t kTensorsPerFlush = 1000;
  const auto text_of = [](const OrderedJson& json) {
    std::string text = JsonText(json);
    text.pop_back();  // the end of the line
    return text;
  };
  std::string head = text_of(InspectedModelToJson(inspected));
  head.pop_back();  // the object's brace
  console.Print(head + ",\"tensors\":[");
  const Model& model = inspected.model;
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const OrderedJson tensor =
        InspectedTensorToJson(model.weights->tensors()[i], model.architecture.roles[i]);
    console.Print((i == 0 ? "" : ",") + text_of(tensor));
    if (i % kTensorsPerFlush != 0) continue;
    if (auto flushed = console.Flush(); !flushed) return flushed;
  }
  console.Print("]}\n");
  return {};
}

// "byte-level BPE, 768 tokens, 123 anchors", "none" or "not readable".
std::string TokenizerText(const TokenizerReading& reading) {
  if (reading.problem) return "not readable";
  if (!reading.summary) return "none";
  return fmt::format("{}, {} tokens, {} anchors", reading.summary->kind,
                     WithThousands(reading.summary->tokens),
                     WithThousands(reading.summary->anchors));
}

// A row of the summary for each part, or for why it could not be told; none for a whole model.
std::vector<std::vector<std::string>> MissingRows(const Result<std::vector<MissingPart>>& missing) {
  if (!missing) {
    return {{"missing", "cannot be told: " + EscapeControl(missing.error().problem)}};
  }
  std::vector<std::vector<std::string>> rows;
  for (const MissingPart& part : *missing) {
    rows.push_back({rows.empty() ? "missing" : "",
                    fmt::format("{} (found: {}; expected: {})", EscapeControl(part.what),
                                EscapeControl(part.found), EscapeControl(part.expected))});
  }
  return rows;
}

std::string HeadText(const StoredHead& head, bool tied) {
  const char* numbers = !head.equals_embedding   ? ""
                        : *head.equals_embedding ? ", with the embedding's numbers"
                                                 : ", with other numbers than the embedding";
  if (!head.stored) return tied ? "tied to the embedding" : "none";
  if (!tied)
    return std::string("not tied") + (head.equals_embedding.value_or(false) ? numbers : "");
  return std::string("tied to the embedding by the config, and stored as well") + numbers;
}

// The names of some tensors, and how many more there are.
std::string NamesText(const Model& model, const std::vector<size_t>& tensors) {
  constexpr size_t kMostNamed = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kMostNamed, tensors.size()); ++i) {
    text += (i == 0 ? "" : ", ") + EscapeControl(model.weights->tensors()[tensors[i]].name);
  }
  if (tensors.size() > kMostNamed) {
    text += fmt::format(" and {} more", WithThousands(tensors.size() - kMostNamed));
  }
  return text;
}

void AddOddMatrices(const InspectedModel& inspected, std::vector<std::vector<std::string>>& rows) {
  for (const auto& [name, tensors] : {std::pair("only zeros", &inspected.odd.zero),
                                      std::pair("one number", &inspected.odd.constant),
                                      std::pair("not finite", &inspected.odd.not_finite)}) {
    if (!tensors->empty()) rows.push_back({name, NamesText(inspected.model, *tensors)});
  }
}

std::string PartTable(const std::vector<InspectedPart>& parts) {
  std::vector<std::vector<std::string>> rows = {
      {"part", "parameters", "share", "layers", "roles known", "computed"}};
  for (const InspectedPart& part : parts) {
    rows.push_back({EscapeControl(part.name), WithThousands(part.parameters),
                    fmt::format("{:.1f}%", 100 * part.share), WithThousands(part.layers),
                    fmt::format("{:.0f}%", std::floor(100 * part.named_share)),
                    UnderstoodText(part)});
  }
  return Columns(rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                        Align::kLeft});
}

std::string SummaryText(const InspectedModel& inspected) {
  const Model& model = inspected.model;
  const TensorSummary& summary = inspected.summary;
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
      {"output head", HeadText(inspected.head, architecture.tied_head)},
      {"tokenizer", TokenizerText(inspected.tokenizer)},
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
  for (auto& row : MissingRows(inspected.missing)) rows.push_back(std::move(row));
  AddOddMatrices(inspected, rows);
  for (const DeclaredBase& base : inspected.declared) {
    rows.push_back(
        {"declared base", fmt::format("{} (by {})", EscapeControl(base.name), base.where)});
  }
  for (const std::string& note : model.notes) rows.push_back({"note", EscapeControl(note)});
  return Columns(rows, {Align::kLeft, Align::kLeft});
}

std::string RoleTable(const TensorSummary& summary) {
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
  TG_ASSIGN(const auto inspected,
            InspectModel(options.model, options.base, SessionOf(console, options.part, true)));
  if (console.json()) {
    TG_TRY(PrintJsonWithTensors(inspected, console));
    return ExitStatus::kDone;
  }
  console.Print(SummaryText(inspected) + "\n" + PartTable(inspected.parts) + "\n" +
                RoleTable(inspected.summary));
  if (options.list_tensors) console.Print("\n" + TensorTableText(inspected.model));
  if (const auto& problem = inspected.tokenizer.problem) {
    console.Print("\nnote: " + DescribeError(*problem) + "\n");
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
