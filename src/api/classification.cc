#include "api/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/models.h"
#include "api/quick_notes.h"
#include "api/reading/distinct_names.h"
#include "api/reading/nearest_fingerprints.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

std::vector<std::string> RegistriesAmong(const std::vector<std::string>& arguments) {
  std::vector<std::string> registries;
  std::ranges::copy_if(arguments, std::back_inserter(registries), NamesRegistry);
  return registries;
}

}  // namespace

Result<ClassifiedModel> ClassifyModel(const ClassificationRequest& request,
                                      const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  FingerprintReading reading = {.base = request.base,
                                .threads = request.threads,
                                .quick_bytes = request.quick_bytes,
                                .incomplete = request.incomplete};
  TG_ASSIGN(auto recognised,
            Recognise(request.model, RegistriesAmong(request.known), reading, session));
  if (!recognised.fingerprint) return NoFileOfDigest(request.model);
  Fingerprint unknown = *std::move(recognised.fingerprint);
  reading.base.reset();
  TG_ASSIGN(auto known, NearestOfAll(unknown, request.known, reading, session));
  NamesToTellApart names;
  names.AddAsked(unknown.model_name, request.model);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  const size_t known_models = known.shortfall.asked - known.shortfall.errors.size();
  // Of a registry it is known which of its models are one family: they are one candidate.
  const size_t alike = known.searched.fingerprints - known.searched.families;
  TG_ASSIGN(auto result, ClassifyFingerprint(unknown, known.read,
                                             {.threads = request.threads,
                                              .known_models = known_models,
                                              .independent_candidates =
                                                  known_models - std::min(known_models, alike)}));
  return ClassifiedModel{.unknown = std::move(unknown),
                         .known = std::move(known.read),
                         .result = std::move(result),
                         .shortfall = std::move(known.shortfall),
                         .searched = known.searched,
                         .exact = std::move(recognised.exact)};
}

Result<ClassifiedModel> ClassifyPrint(Fingerprint unknown, std::vector<Fingerprint> known,
                                      unsigned threads) {
  TG_ASSIGN(auto result, ClassifyFingerprint(unknown, known, {.threads = threads}));
  ClassifiedModel model = {
      .unknown = std::move(unknown), .known = std::move(known), .result = std::move(result)};
  model.shortfall.asked = model.known.size();
  return model;
}

std::optional<NamedMerge> MergeOf(const ClassifiedModel& model) {
  if (!model.result.place || !model.result.place->merge) return {};
  return NameParents(model.unknown.model_name, *model.result.place->merge,
                     [&](size_t known) { return model.NameOf(known); });
}

std::vector<std::string> LineageNames(const ClassifiedModel& model) {
  std::vector<std::string> names;
  if (!model.result.place) return names;
  for (const size_t each : model.result.place->lineage) names.push_back(model.NameOf(each));
  return names;
}

std::string PlaceText(const ClassifiedModel& model) {
  const PlaceInFamily& place = *model.result.place;
  const std::vector<std::string> lineage = LineageNames(model);
  if (lineage.empty()) {
    return fmt::format("of one family with {}, the closest; which came first is not shown",
                       model.NameOf(place.closest));
  }
  std::string text = "comes from " + lineage.front();
  for (size_t i = 1; i < lineage.size(); ++i) text += ", that from " + lineage[i];
  return text;
}

std::vector<std::string> NotesOf(const ClassifiedModel& model) {
  std::vector<std::string> notes = ExactTexts(model.exact);
  for (std::string& note : QuickNotes(model.best().comparison, {&model.unknown})) {
    notes.push_back(std::move(note));
  }
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
  if (model.searched.by_parts > 0) {
    notes.push_back(
        fmt::format("{} of them hold layers of it, number for number.", model.searched.by_parts));
  }
  if (model.result.place && model.result.place->parent_missing) {
    notes.emplace_back("It and the closest come from one model that is not among the known ones.");
  }
  if (model.result.place && model.result.place->same_function) {
    notes.push_back(
        fmt::format("It computes the same as {}.", model.NameOf(model.result.place->closest)));
  }
  if (const auto merge = MergeOf(model)) {
    notes.push_back(fmt::format("{} is a merge of {}.", merge->model, MergeText(*merge)));
  }
  for (const std::string& note : model.unknown.notes) notes.push_back(note);
  return notes;
}

}  // namespace tensorguard::internal
