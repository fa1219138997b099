// tensorguard compare by the paper profile: a verdict on a pair of models.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/features.h"
#include "cli/models/models.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"
#include "paper/paper_comparison.h"

namespace tensorguard::internal::cli {
namespace {

OrderedJson EvidenceToJson(const PaperComparison& comparison) {
  OrderedJson differences = OrderedJson::array();
  for (const FeatureDifference& each : comparison.differences) {
    differences.push_back({{"feature", each.feature_name},
                           {"a", NumberOrNull(each.a)},
                           {"b", NumberOrNull(each.b)},
                           {"relative", each.relative},
                           {"shape_only", each.shape_only}});
  }
  // Null: evidence that the paper profile does not hold.
  return {{"kernel", nullptr},
          {"sketch", nullptr},
          {"test", nullptr},
          {"paper",
           {{"distance", NumberOrNull(comparison.distance)},
            {"same_shapes", comparison.same_shapes},
            {"differences", differences}}}};
}

OrderedJson ToJson(const PaperFeatures& a, const PaperFeatures& b,
                   const PaperComparison& comparison) {
  OrderedJson json = ResultObject("compare");
  json["a"] = a.model_name;
  json["b"] = b.model_name;
  json["profile"] = "paper";
  json["verdict"] = PaperVerdictName(comparison.verdict);
  json["score"] = comparison.score;
  json["evidence"] = EvidenceToJson(comparison);
  json["notes"] = comparison.notes;
  return json;
}

std::string NumberText(const std::optional<double>& number) {
  return number ? fmt::format("{:.6g}", *number) : "none";
}

std::string ToText(const PaperFeatures& a, const PaperFeatures& b,
                   const PaperComparison& comparison) {
  std::string text = fmt::format("{} and {}: {}  (score {:.4f}, paper profile)\n\n",
                                 EscapeControl(a.model_name), EscapeControl(b.model_name),
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

Result<PaperComparison> CompareAmong(const std::vector<PaperFeatures>& known,
                                     const PaperFeatures& a, const PaperFeatures& b,
                                     const CompareOptions& options) {
  if (options.known.empty()) return ComparePaperFeatures(a, b);
  const auto missing = options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse;
  const auto population = BuildFeatureMatrix(known, missing);
  if (!population) return population.error();
  return ComparePaperFeatures(a, b, &*population, missing);
}

}  // namespace

Result<ExitStatus> RunCompareByPaperProfile(const CompareOptions& options, Console& console) {
  if (auto base = CheckBase({options.first, options.second}, options.base); !base) {
    return std::move(base).error();
  }
  const FeatureReading reading = {.base = options.base, .threads = options.threads};
  auto first = FeaturesOf(options.first, reading, console);
  if (!first) return first.error();
  auto second = FeaturesOf(options.second, reading, console);
  if (!second) return second.error();
  ManyFeatures known = FeaturesOfAll(options.known, {.threads = options.threads}, console);
  NamesToTellApart names;
  names.Add(first->model_name, options.first);
  names.Add(second->model_name, options.second);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  const auto comparison = CompareAmong(known.read, *first, *second, options);
  if (!comparison) return comparison.error();
  if (console.json()) {
    OrderedJson json = ToJson(*first, *second, *comparison);
    AddShortfall(known.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ToText(*first, *second, *comparison));
  }
  const auto verdict = PaperVerdictName(comparison->verdict);
  return StatusAfter(known.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
