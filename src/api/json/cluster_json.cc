#include "api/json/cluster_json.h"

#include "api/json/classification_json.h"
#include "api/json/shortfall_json.h"

namespace tensorguard::internal {

OrderedJson FamilyGroupsToJson(const FamilyGroups& groups, const std::optional<std::string>& plot) {
  OrderedJson json = ResultObject("cluster");
  json["profile"] = "full";
  json["method"] = groups.method;
  json["assignments"] = OrderedJson::object();
  json["clusters"] = OrderedJson::array();
  json["silhouette"] = NumberOrNull(groups.silhouette);
  json["pca"] = groups.plane ? OrderedJson::object() : OrderedJson();
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    const std::string& name = groups.model_names[i];
    json["assignments"][name] = groups.centers[groups.family_of_model[i]];
    if (groups.plane) json["pca"][name] = groups.plane->coordinates[i];
  }
  for (size_t family = 0; family < groups.centers.size(); ++family) {
    json["clusters"].push_back(
        {{"center", groups.centers[family]}, {"members", MembersOf(groups, family)}});
  }
  if (plot) json["plot"] = *plot;
  AddShortfall(groups.shortfall, &json);
  return json;
}

OrderedJson PaperFamiliesToJson(const PaperFamilies& families,
                                const std::optional<std::string>& plot) {
  OrderedJson json = ResultObject("cluster");
  json["method"] = CenterMethodName(families.method);
  json["assignments"] = OrderedJson::object();
  json["clusters"] = OrderedJson::array();
  json["silhouette"] = NumberOrNull(families.silhouette);
  json["pca"] = OrderedJson::object();
  json["explained_variance"] = families.plane.explained;
  for (size_t i = 0; i < families.matrix.model_names.size(); ++i) {
    const std::string& name = families.matrix.model_names[i];
    json["assignments"][name] = families.center_of(i);
    json["pca"][name] = families.plane.coordinates[i];
  }
  for (size_t c = 0; c < families.clustering.center_names.size(); ++c) {
    json["clusters"].push_back(
        {{"center", families.clustering.center_names[c]}, {"members", families.members_of(c)}});
  }
  json["imputed"] = ImputedToJson(families.matrix.imputed);
  if (plot) json["plot"] = *plot;
  AddShortfall(families.shortfall, &json);
  return json;
}

}  // namespace tensorguard::internal
