#include "cli/output/inspect_fingerprint.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "cli/output/text_layout.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal::cli {
namespace {

size_t KernelCount(const Fingerprint& print) {
  size_t kernels = 0;
  for (const LayerResponse& layer : print.layers) {
    for (const FloatMatrix* kernel : {&layer.query_key, &layer.output_value, &layer.feed_forward}) {
      kernels += kernel->values().empty() ? 0 : 1;
    }
    kernels += layer.experts.size();
  }
  return kernels;
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

OrderedJson ToJson(const Fingerprint& print, const std::string& path) {
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

std::string SummaryText(const Fingerprint& print) {
  const bool rows = print.anchor_kind == AnchorKind::kRows;
  const std::string anchors = fmt::format("{} {}", print.anchors.size(),
                                          rows ? "rows of the embedding" : "tokens of the list");
  return Columns({{"fingerprint of", EscapeControl(print.model_name)},
                  {"version", std::to_string(kFingerprintVersion)},
                  {"architecture", EscapeControl(print.architecture)},
                  {"parameters", WithThousands(print.parameters)},
                  {"layers", WithThousands(print.layers.size())},
                  {"hidden size", WithThousands(print.hidden_size)},
                  {"vocabulary", WithThousands(print.vocabulary_size)},
                  {"anchors", anchors},
                  {"kernels", WithThousands(KernelCount(print))},
                  {"weights", WithThousands(print.weights.size())}},
                 {Align::kLeft, Align::kLeft});
}

std::string WeightTable(const Fingerprint& print) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "role", "type", "shape", "norm", "tensor"}};
  for (const WeightSummary& weight : print.weights) {
    rows.push_back({weight.role.layer ? std::to_string(*weight.role.layer) : "-",
                    std::string(ShownRoleName(weight.role)), weight.dtype,
                    weight.is_vector ? std::to_string(weight.rows)
                                     : fmt::format("{}x{}", weight.rows, weight.columns),
                    fmt::format("{:.4g}", weight.norm), EscapeControl(weight.tensor)});
  }
  return Columns(
      rows, {Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft});
}

}  // namespace

Result<ExitStatus> InspectFingerprint(const std::string& path, bool list_tensors,
                                      Console& console) {
  const auto print = ReadFingerprint(path);
  if (!print) return print.error();
  if (console.json()) {
    console.PrintJson(ToJson(*print, path));
    return ExitStatus::kDone;
  }
  console.Print(SummaryText(*print));
  if (list_tensors) console.Print("\n" + WeightTable(*print));
  for (const std::string& note : print->notes) {
    console.Print(fmt::format("note: {}\n", EscapeControl(note)));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
