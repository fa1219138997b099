// tensorguard classify by the full profile: of whose family a model is, or that it is unknown.
#include <fmt/format.h>

#include "api/classification.h"
#include "api/json/classification_json.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

std::string AnswerText(const ClassifiedModel& model) {
  const std::string name = EscapeControl(model.unknown.model_name);
  if (!model.result.known) return fmt::format("{}: unknown\n", name);
  return fmt::format("{}: {}  ({})\n", name, EscapeControl(PlaceText(model)),
                     VerdictName(model.best().comparison.verdict));
}

std::string ToText(const ClassifiedModel& model) {
  std::vector<std::vector<std::string>> rows = {{"known model", "score", "p", "verdict"}};
  for (const KnownCandidate& each : model.result.candidates) {
    const auto& score = each.comparison.score;
    const auto& p_value = each.corrected_p_value;
    rows.push_back({EscapeControl(model.NameOf(each.known)),
                    score ? fmt::format("{:.3f}", *score) : "-",
                    p_value ? fmt::format("{:.2g}", *p_value) : "-",
                    std::string(VerdictName(each.comparison.verdict))});
  }
  std::string text = AnswerText(model) + "\n";
  text += Columns(rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kLeft}) + "\n";
  for (const std::string& note : NotesOf(model)) text += Wrapped(EscapeControl(note), 0);
  return text;
}

}  // namespace

Result<ExitStatus> RunClassifyByFullProfile(const ClassifyOptions& options, Console& console) {
  TG_ASSIGN(const auto model, ClassifyModel({.model = options.model,
                                             .base = options.base,
                                             .known = options.known,
                                             .quick_bytes = options.quick_bytes,
                                             .incomplete = options.incomplete,
                                             .threads = options.threads},
                                            SessionOf(console, options.part, false)));
  if (console.json()) {
    console.PrintJson(ClassifiedModelToJson(model));
  } else {
    console.Print(ToText(model));
  }
  const auto verdict = VerdictName(model.best().comparison.verdict);
  return StatusAfter(model.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
