// tensorguard transform: a changed copy of a model that works.
#include <fmt/format.h>

#include "api/changes/transformation.h"
#include "api/json/transform_json.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/arguments/usage.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

void ListAsText(Console& console) {
  for (const Change& change : AllChanges()) {
    console.Print(fmt::format("{}  (function {})\n", change.name, KeepsName(change.keeps)));
    console.Print(Wrapped(std::string(change.text) + ".", 4));
    if (!change.strength.empty()) {
      console.Print(Wrapped(fmt::format("Strength: {}; {} to {}, {} if not given.", change.strength,
                                        change.least, change.most, change.strengths.front()),
                            4));
    }
    if (change.second != SecondModel::kNone) {
      console.Print(change.second == SecondModel::kNeeded
                        ? "    Needs --with-model.\n"
                        : "    Uses --with-model where it is given.\n");
    }
    console.Print(Wrapped(fmt::format("Source: {}.", change.source), 4));
  }
}

ExitStatus ListChanges(Console& console) {
  if (console.json()) {
    console.PrintJson(KnownChangesToJson());
  } else {
    ListAsText(console);
  }
  return ExitStatus::kDone;
}

Result<void> CheckOptions(const TransformOptions& options) {
  if (options.model.empty()) return UsageError("MODEL is missing");
  if (!options.output) return UsageError("-o is missing");
  if (!options.with) return UsageError("--with is missing");
  return {};
}

std::optional<DType> DTypeOf(const std::string& name) {
  if (name == "f32") return DType::kF32;
  if (name == "f16") return DType::kF16;
  if (name == "bf16") return DType::kBF16;
  return {};
}

void PrintApplied(const TransformedModel& transformed, Console& console) {
  std::vector<std::vector<std::string>> rows = {{"change", "strength", "function", "logits moved"}};
  for (const AppliedChange& each : transformed.changes) {
    const Change& change = *each.chosen.change;
    rows.push_back(
        {std::string(change.name),
         change.strength.empty() ? "" : fmt::format("{}", each.chosen.strength),
         std::string(KeepsName(change.keeps)),
         each.logit_difference ? fmt::format("{:.2g}", *each.logit_difference) : "other tokens"});
  }
  console.Print(EscapeControl(transformed.output) + "\n");
  console.Print(Columns(rows, {Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft}, 2));
}

}  // namespace

Result<ExitStatus> RunTransform(const TransformOptions& options, Console& console) {
  if (options.list) return ListChanges(console);
  TG_TRY(CheckOptions(options));
  TG_ASSIGN(const auto transformed,
            TransformModel({.model = options.model,
                            .base = options.base,
                            .output = *options.output,
                            .changes = *options.with,
                            .second_model = options.with_model,
                            .dtype = DTypeOf(options.dtype),
                            .seed = options.seed},
                           SessionOf(console, options.part, !options.with_model.has_value())));
  if (console.json()) {
    console.PrintJson(TransformedModelToJson(transformed));
  } else {
    PrintApplied(transformed, console);
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
