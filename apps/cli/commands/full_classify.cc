// tensorguard classify by the full profile: where a model comes from, or that it is unknown.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/merges.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/fingerprints.h"
#include "cli/models/models.h"
#include "cli/models/nearest_fingerprints.h"
#include "cli/output/comparison_output.h"
#include "cli/output/family_output.h"
#include "cli/output/quick_output.h"
#include "cli/output/text_layout.h"
#include "comparison/independent_tail.h"
#include "families/full_classification.h"

namespace tensorguard::internal::cli {
namespace {

struct ClassifiedModel {
  Fingerprint unknown;
  std::vector<Fingerprint> known;
  FullClassification result;

  const KnownCandidate& best() const { return result.candidates.front(); }
  const std::string& NameOf(size_t index) const { return known[index].model_name; }
};

std::optional<NamedMerge> MergeOf(const ClassifiedModel& model) {
  if (!model.result.merge) return {};
  return NameParents(model.unknown.model_name, *model.result.merge,
                     [&](size_t known) { return model.NameOf(known); });
}

OrderedJson ToJson(const ClassifiedModel& model, const KnownCandidate& candidate) {
  return {{"name", model.NameOf(candidate.known)},
          {"score", NumberOrNull(candidate.comparison.score)},
          {"verdict", VerdictName(candidate.comparison.verdict)},
          {"corrected_p_value", NumberOrNull(candidate.corrected_p_value)}};
}

std::vector<std::string> LineageNames(const ClassifiedModel& model) {
  std::vector<std::string> names;
  for (const size_t each : model.result.lineage) names.push_back(model.NameOf(each));
  return names;
}

// What the best candidate's comparison found; about an unknown model only why it is none.
std::vector<std::string> NotesOf(const ClassifiedModel& model) {
  std::vector<std::string> notes = QuickNotes(model.best().comparison, {&model.unknown});
  const Comparison& best = model.best().comparison;
  if (!model.result.known && IsDerivation(best.verdict)) {
    notes.push_back(fmt::format(
        "The nearest model scores high, but among {} candidates that happens by chance.",
        model.result.known_models));
  }
  if (model.result.known || best.verdict == Verdict::kInconclusive) {
    for (const Finding& finding : best.findings) notes.push_back(finding.text);
  }
  if (model.result.candidates.size() < model.result.known_models) {
    notes.push_back(fmt::format(
        "Of {} known models, the {} whose signatures are nearest were compared in full.",
        model.result.known_models, model.result.candidates.size()));
  }
  if (const auto merge = MergeOf(model)) {
    notes.push_back(fmt::format("{} is a merge of {}.", merge->model, MergeText(*merge)));
  }
  for (const std::string& note : model.unknown.notes) notes.push_back(note);
  return notes;
}

OrderedJson ToJson(const ClassifiedModel& model) {
  OrderedJson json = ResultObject("classify");
  json["model"] = model.unknown.model_name;
  json["profile"] = "full";
  json["known"] = model.result.known;
  json["best"] = ToJson(model, model.best());
  const std::vector<std::string> lineage = LineageNames(model);
  json["direct_parent"] = lineage.empty() ? OrderedJson() : OrderedJson(lineage.front());
  json["root"] = lineage.empty() ? OrderedJson() : OrderedJson(lineage.back());
  json["lineage"] = lineage;
  const auto merge = MergeOf(model);
  json["merge"] = merge ? MergeToJson(*merge) : OrderedJson();
  json["quick"] = QuickToJson(model.best().comparison, {&model.unknown});
  json["family_wise_error"] = kFamilyWiseError;
  json["known_models"] = model.result.known_models;
  json["compared_fully"] = model.result.candidates.size();
  json["candidates"] = OrderedJson::array();
  for (const KnownCandidate& each : model.result.candidates) {
    json["candidates"].push_back(ToJson(model, each));
  }
  json["notes"] = NotesOf(model);
  return json;
}

std::string AnswerText(const ClassifiedModel& model) {
  const std::string name = EscapeControl(model.unknown.model_name);
  if (!model.result.known) return fmt::format("{}: unknown\n", name);
  const std::vector<std::string> lineage = LineageNames(model);
  std::string text = fmt::format("{}: comes from {}", name, EscapeControl(lineage.front()));
  for (size_t i = 1; i < lineage.size(); ++i) {
    text += fmt::format(", that from {}", EscapeControl(lineage[i]));
  }
  return text + fmt::format("  ({})\n", VerdictName(model.best().comparison.verdict));
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
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  auto unknown = FingerprintOf(options.model,
                               {.base = options.base,
                                .threads = options.threads,
                                .quick_bytes = options.quick_bytes,
                                .incomplete = options.incomplete},
                               console);
  if (!unknown) return std::move(unknown).error();
  NearestFingerprints known = NearestOfAll(*unknown, options.known,
                                           {.threads = options.threads,
                                            .quick_bytes = options.quick_bytes,
                                            .incomplete = options.incomplete},
                                           console);
  NamesToTellApart names;
  names.Add(unknown->model_name, options.model);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  auto result =
      ClassifyFingerprint(*unknown, known.read,
                          {.threads = options.threads,
                           .known_models = known.shortfall.asked - known.shortfall.errors.size()});
  if (!result) return std::move(result).error();
  const ClassifiedModel model = {*std::move(unknown), std::move(known.read), *std::move(result)};
  if (console.json()) {
    OrderedJson json = ToJson(model);
    AddShortfall(known.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ToText(model));
  }
  const auto verdict = VerdictName(model.best().comparison.verdict);
  return StatusAfter(known.shortfall, StatusOf(verdict, options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
