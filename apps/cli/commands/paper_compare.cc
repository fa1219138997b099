// tensorguard compare by the paper profile: a verdict on a pair of models.
#include <fmt/format.h>

#include "api/json/comparison_json.h"
#include "api/paper/paper_pair.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

std::string NumberText(const std::optional<double>& number) {
  return number ? fmt::format("{:.6g}", *number) : "none";
}

std::string ToText(const PaperComparedPair& pair) {
  const PaperComparison& comparison = pair.comparison;
  std::string text = fmt::format("{} and {}: {}  (score {:.4f}, paper profile)\n\n",
                                 EscapeControl(pair.first), EscapeControl(pair.second),
                                 PaperVerdictName(comparison.verdict), comparison.score);
  if (comparison.distance) text += fmt::format("distance {:.3f}\n\n", *comparison.distance);
  std::vector<std::vector<std::string>> rows = {{"feature", "first", "second", "difference", ""}};
  for (const FeatureDifference& each : comparison.differences) {
    rows.push_back({each.feature_name, NumberText(each.a), NumberText(each.b),
                    fmt::format("{:.3g}%", 100 * each.relative), each.shape_only ? "shape" : ""});
  }
  text += Columns(rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  return text + "\n" + NotesText(comparison.notes);
}

}  // namespace

Result<ExitStatus> RunCompareByPaperProfile(const CompareOptions& options, Console& console) {
  TG_ASSIGN(const auto pair,
            ComparePairByPaper(
                {.first = options.first,
                 .second = options.second,
                 .base = options.base,
                 .known = options.known,
                 .missing = options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse,
                 .threads = options.threads},
                SessionOf(console, options.part, false)));
  if (console.json()) {
    console.PrintJson(PaperComparedPairToJson(pair));
  } else {
    console.Print(ToText(pair));
  }
  const auto verdict = PaperVerdictName(pair.comparison.verdict);
  return StatusAfter(pair.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
