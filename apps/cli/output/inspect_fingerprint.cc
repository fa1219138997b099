#include "cli/output/inspect_fingerprint.h"

#include <fmt/format.h>

#include <vector>

#include "api/inspection/inspected_model.h"
#include "api/json/inspect_json.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/output/text_layout.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal::cli {
namespace {

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
  TG_ASSIGN(const auto print, ReadFingerprint(path));
  if (console.json()) {
    console.PrintJson(InspectedFingerprintToJson(print, path));
    return ExitStatus::kDone;
  }
  console.Print(SummaryText(print));
  if (list_tensors) console.Print("\n" + WeightTable(print));
  for (const std::string& note : print.notes) {
    console.Print(fmt::format("note: {}\n", EscapeControl(note)));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
