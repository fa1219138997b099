// tensorguard classify by the full profile: of whose family a model is, or that it is unknown.
#include <fmt/format.h>

#include <chrono>

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

// Of registries, what the answer rests on.
std::string SearchedText(const ClassifiedModel& model, double seconds) {
  const SearchSummary& searched = model.searched;
  if (searched.fingerprints == 0) return {};
  return fmt::format(
      "searched {} fingerprints of {} models, compared {} in full, in {:.2f} s; p is corrected "
      "for {} independent candidates\n",
      WithThousands(searched.fingerprints), WithThousands(searched.models),
      WithThousands(model.result.candidates.size()), seconds,
      WithThousands(model.result.independent_candidates));
}

std::string ToText(const ClassifiedModel& model, double seconds) {
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
  text += SearchedText(model, seconds);
  for (const std::string& note : NotesOf(model)) text += Wrapped(EscapeControl(note), 0);
  return text;
}

}  // namespace

Result<ExitStatus> RunClassifyByFullProfile(const ClassifyOptions& options, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  TG_ASSIGN(const auto model, ClassifyModel({.model = options.model,
                                             .base = options.base,
                                             .known = options.known,
                                             .quick_bytes = options.quick_bytes,
                                             .incomplete = options.incomplete,
                                             .threads = options.threads},
                                            SessionOf(console, options.part, false)));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  if (console.json()) {
    OrderedJson json = ClassifiedModelToJson(model);
    json["seconds"] = taken.count();
    console.PrintJson(json);
  } else {
    console.Print(ToText(model, taken.count()));
  }
  const auto verdict = VerdictName(model.best().comparison.verdict);
  return StatusAfter(model.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
