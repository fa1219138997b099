// tensorguard classify by the paper profile: the nearest known family of a model, or none.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/features.h"
#include "cli/models/models.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"
#include "paper/classify.h"

namespace tensorguard::internal::cli {
namespace {

OrderedJson ToJson(const FamilyCandidate& candidate) {
  return {{"name", candidate.name},
          {"score", candidate.score},
          {"verdict", PaperVerdictName(candidate.verdict)},
          {"family_distance", candidate.family_distance},
          {"base_distance", candidate.base_distance}};
}

OrderedJson ToJson(const std::string& model, const Classification& result) {
  OrderedJson json = ResultObject("classify");
  json["model"] = model;
  json["profile"] = "paper";
  json["known"] = result.known;
  json["best"] = ToJson(result.candidates.front());
  json["nearest_base_distance"] = result.nearest_base_distance;
  json["rejection_distance"] = kRejectionDistance;
  json["candidates"] = OrderedJson::array();
  for (const FamilyCandidate& each : result.candidates) json["candidates"].push_back(ToJson(each));
  json["imputed"] = ImputedToJson(result.imputed);
  json["notes"] = result.notes;
  return json;
}

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
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  const FeatureReading reading = {.base = options.base, .threads = options.threads};
  auto unknown = FeaturesOf(options.model, reading, console);
  if (!unknown) return unknown.error();
  ManyFeatures known = FeaturesOfAll(options.known, {.threads = options.threads}, console);
  NamesToTellApart names;
  names.Add(unknown->model_name, options.model);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  const auto result =
      Classify(*unknown, known.read,
               {.center_names = options.centers,
                .missing = options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse});
  if (!result) return result.error();
  if (console.json()) {
    OrderedJson json = ToJson(unknown->model_name, *result);
    AddShortfall(known.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ToText(unknown->model_name, *result));
  }
  const auto verdict = PaperVerdictName(result->candidates.front().verdict);
  return StatusAfter(known.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
