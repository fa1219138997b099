#include "api/json/classification_json.h"

#include "api/json/comparison_json.h"
#include "api/json/shortfall_json.h"
#include "api/registry/registry_json.h"
#include "comparison/independent_tail.h"

namespace tensorguard::internal {
namespace {

OrderedJson CandidateToJson(const ClassifiedModel& model, const KnownCandidate& candidate) {
  return {{"name", model.NameOf(candidate.known)},
          {"score", NumberOrNull(candidate.comparison.score)},
          {"verdict", VerdictName(candidate.comparison.verdict)},
          {"corrected_p_value", ChanceOrNull(candidate.corrected_p_value)}};
}

OrderedJson FamilyToJson(const FamilyCandidate& candidate) {
  return {{"name", candidate.name},
          {"score", candidate.score},
          {"verdict", PaperVerdictName(candidate.verdict)},
          {"family_distance", candidate.family_distance},
          {"base_distance", candidate.base_distance}};
}

}  // namespace

OrderedJson ClassifiedModelToJson(const ClassifiedModel& model) {
  OrderedJson json = ResultObject("classify");
  json["model"] = model.unknown.model_name;
  json["profile"] = "full";
  json["known"] = model.result.known;
  json["best"] = CandidateToJson(model, model.best());
  const std::vector<std::string> lineage = LineageNames(model);
  json["direct_parent"] = lineage.empty() ? OrderedJson() : OrderedJson(lineage.front());
  json["root"] = lineage.empty() ? OrderedJson() : OrderedJson(lineage.back());
  json["lineage"] = lineage;
  const auto& place = model.result.place;
  json["closest"] = place ? OrderedJson(model.NameOf(place->closest)) : OrderedJson();
  json["family"] = OrderedJson::array();
  for (const KnownCandidate& each : model.result.candidates) {
    if (each.relative) json["family"].push_back(model.NameOf(each.known));
  }
  json["direction"] = lineage.empty() ? "undetermined" : "from_parent";
  json["parent_certainty"] = lineage.empty() ? OrderedJson() : OrderedJson(place->certainty);
  json["parent_missing"] = place && place->parent_missing;
  json["same_function"] = place && place->same_function;
  const auto merge = MergeOf(model);
  json["merge"] = merge ? MergeToJson(*merge) : OrderedJson();
  json["quick"] = QuickToJson(model.best().comparison, {&model.unknown});
  json["family_wise_error"] = kFamilyWiseError;
  json["known_models"] = model.result.known_models;
  json["independent_candidates"] = model.result.independent_candidates;
  json["compared_fully"] = model.result.candidates.size();
  json["searched"] =
      model.searched.fingerprints == 0 ? OrderedJson() : SearchSummaryToJson(model.searched);
  json["exact"] = ExactFilesToJson(model.exact);
  json["candidates"] = OrderedJson::array();
  for (const KnownCandidate& each : model.result.candidates) {
    json["candidates"].push_back(CandidateToJson(model, each));
  }
  json["notes"] = NotesOf(model);
  AddShortfall(model.shortfall, &json);
  return json;
}

OrderedJson PaperClassifiedModelToJson(const PaperClassifiedModel& model) {
  const Classification& result = model.result;
  OrderedJson json = ResultObject("classify");
  json["model"] = model.name;
  json["profile"] = "paper";
  json["known"] = result.known;
  json["best"] = FamilyToJson(result.candidates.front());
  json["nearest_base_distance"] = result.nearest_base_distance;
  json["rejection_distance"] = kRejectionDistance;
  json["candidates"] = OrderedJson::array();
  for (const FamilyCandidate& each : result.candidates) {
    json["candidates"].push_back(FamilyToJson(each));
  }
  json["imputed"] = ImputedToJson(result.imputed);
  json["notes"] = result.notes;
  AddShortfall(model.shortfall, &json);
  return json;
}

OrderedJson ImputedToJson(const std::vector<ImputedFeature>& imputed) {
  OrderedJson json = OrderedJson::array();
  for (const ImputedFeature& each : imputed) {
    json.push_back(
        {{"model", each.model_name}, {"feature", each.feature_name}, {"value", each.value}});
  }
  return json;
}

}  // namespace tensorguard::internal
