#include "api/json/transform_json.h"

namespace tensorguard::internal {

OrderedJson TransformedModelToJson(const TransformedModel& transformed) {
  OrderedJson json = ResultObject("transform");
  json["name"] = transformed.name;
  json["output"] = transformed.output;
  json["seed"] = transformed.seed;
  json["changes"] = OrderedJson::array();
  for (const AppliedChange& each : transformed.changes) {
    OrderedJson entry = {{"name", each.chosen.change->name}, {"strength", each.chosen.strength}};
    entry["function"] = KeepsName(each.chosen.change->keeps);
    entry["logit_difference"] = NumberOrNull(each.logit_difference);
    json["changes"].push_back(std::move(entry));
  }
  return json;
}

OrderedJson KnownChangesToJson() {
  OrderedJson list = OrderedJson::array();
  for (const Change& change : AllChanges()) {
    OrderedJson entry = {{"name", change.name}, {"text", change.text}};
    entry["function"] = KeepsName(change.keeps);
    entry["strength"] = change.strength;
    entry["strengths"] = change.strengths;
    entry["second_model"] = change.second == SecondModel::kNone     ? "none"
                            : change.second == SecondModel::kNeeded ? "needed"
                                                                    : "used";
    entry["source"] = change.source;
    list.push_back(std::move(entry));
  }
  OrderedJson json = ResultObject("transform");
  json["known_changes"] = std::move(list);
  return json;
}

}  // namespace tensorguard::internal
