// tensorguard classify by the paper profile: the nearest known family of a model, or none.
#include <fmt/format.h>

#include "api/json/classification_json.h"
#include "api/paper/paper_classification.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

std::string ToText(const std::string& model, const Classification& result) {
  const FamilyCandidate& best = result.candidates.front();
  std::string text = result.known
                         ? fmt::format("{}: nearest family {}  (score {:.4f})\n",
                                       EscapeControl(model), EscapeControl(best.name), best.score)
                         : fmt::format("{}: unknown  (nearest family {}, score {:.4f})\n",
                                       EscapeControl(model), EscapeControl(best.name), best.score);
  std::vector<std::vector<std::string>> rows = {
      {"family", "score", "to family", "to base", "verdict"}};
  for (const FamilyCandidate& each : result.candidates) {
    rows.push_back({EscapeControl(each.name), fmt::format("{:.4f}", each.score),
                    fmt::format("{:.3f}", each.family_distance),
                    fmt::format("{:.3f}", each.base_distance),
                    std::string(PaperVerdictName(each.verdict))});
  }
  text += "\n" +
          Columns(rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  return text + "\n" + NotesText(result.notes, result.imputed);
}

}  // namespace

Result<ExitStatus> RunClassifyByPaperProfile(const ClassifyOptions& options, Console& console) {
  TG_ASSIGN(const auto model,
            ClassifyModelByPaper(
                {.model = options.model,
                 .base = options.base,
                 .known = options.known,
                 .centers = options.centers,
                 .missing = options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse,
                 .threads = options.threads},
                SessionOf(console, options.part, false)));
  if (console.json()) {
    console.PrintJson(PaperClassifiedModelToJson(model));
  } else {
    console.Print(ToText(model.name, model.result));
  }
  const auto verdict = PaperVerdictName(model.result.candidates.front().verdict);
  return StatusAfter(model.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
