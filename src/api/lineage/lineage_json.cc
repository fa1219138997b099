#include "api/lineage/lineage_json.h"

#include <algorithm>

#include "api/json/comparison_json.h"
#include "api/json/shortfall_json.h"

namespace tensorguard::internal {
namespace {

OrderedJson NodesToJson(const FamilyLineage& lineage) {
  OrderedJson nodes = OrderedJson::array();
  for (size_t node = 0; node < lineage.names.size(); ++node) {
    const size_t family = FamilyOf(lineage, node);
    if (!IsShown(lineage, family)) continue;
    const bool declares = node < lineage.declared.size();
    nodes.push_back({{"name", lineage.names[node]},
                     {"family", family},
                     {"root", lineage.graph.root_of_family[family] == node},
                     {"missing", node >= lineage.graph.models},
                     {"declared_parents",
                      declares ? OrderedJson(lineage.declared[node]) : OrderedJson::array()}});
  }
  return nodes;
}

OrderedJson EdgesToJson(const FamilyLineage& lineage) {
  OrderedJson edges = OrderedJson::array();
  for (const LineageEdge& edge : lineage.graph.edges) {
    if (!IsShown(lineage, FamilyOf(lineage, edge.child))) continue;
    edges.push_back(
        {{"child", lineage.names[edge.child]},
         {"parent", lineage.names[edge.parent]},
         {"kind", EdgeKindName(edge.kind)},
         {"direction", edge.directed ? "parent_to_child" : "undetermined"},
         {"certainty", edge.certainty},
         {"doubt", 1 - edge.certainty},
         {"runner_up",
          edge.runner_up ? OrderedJson(lineage.names[*edge.runner_up]) : OrderedJson()},
         {"weight", edge.weight},
         {"weight_error", NumberOrNull(edge.weight_error)},
         {"evidence",
          SignsToJson(edge.signs, lineage.names[edge.parent], lineage.names[edge.child])},
         {"declared", DeclaredName(CompareWithDeclared(edge, lineage.declared, lineage.names))}});
  }
  return edges;
}

OrderedJson UncertainToJson(const FamilyLineage& lineage) {
  OrderedJson edges = OrderedJson::array();
  for (const LineageEdge& edge : lineage.uncertain) {
    if (!IsShown(lineage, FamilyOf(lineage, edge.child))) continue;
    edges.push_back({{"child", lineage.names[edge.child]},
                     {"parent", lineage.names[edge.parent]},
                     {"certainty", edge.certainty}});
  }
  return edges;
}

OrderedJson FamiliesToJson(const FamilyLineage& lineage) {
  OrderedJson families = OrderedJson::array();
  for (size_t family = 0; family < lineage.graph.root_of_family.size(); ++family) {
    if (!IsShown(lineage, family)) continue;
    OrderedJson members = OrderedJson::array();
    for (size_t model = 0; model < lineage.graph.models; ++model) {
      if (lineage.graph.family_of_model[model] == family) members.push_back(lineage.names[model]);
    }
    families.push_back({{"family", family},
                        {"root", lineage.names[lineage.graph.root_of_family[family]]},
                        {"members", members}});
  }
  return families;
}

OrderedJson GroupsToJson(const FamilyLineage& lineage) {
  OrderedJson groups = OrderedJson::array();
  for (const auto& group : lineage.graph.groups) {
    if (!IsShown(lineage, FamilyOf(lineage, group.front()))) continue;
    OrderedJson members = OrderedJson::array();
    for (const size_t model : group) members.push_back(lineage.names[model]);
    groups.push_back({{"members", members}});
  }
  return groups;
}

OrderedJson BaselinesToJson(const FamilyLineage& lineage) {
  OrderedJson baselines = OrderedJson::object();
  for (const BaselineTrees& trees : lineage.baselines) {
    OrderedJson edges = OrderedJson::array();
    for (size_t child = 0; child < trees.parents.size(); ++child) {
      if (!trees.parents[child] || !IsShown(lineage, FamilyOf(lineage, child))) continue;
      edges.push_back(
          {{"child", lineage.names[child]}, {"parent", lineage.names[*trees.parents[child]]}});
    }
    baselines[std::string(trees.name)] = std::move(edges);
  }
  return baselines;
}

}  // namespace

OrderedJson FamilyLineageToJson(const FamilyLineage& lineage) {
  OrderedJson json = ResultObject("lineage");
  json["nodes"] = NodesToJson(lineage);
  json["edges"] = EdgesToJson(lineage);
  json["uncertain"] = UncertainToJson(lineage);
  json["families"] = FamiliesToJson(lineage);
  json["groups"] = GroupsToJson(lineage);
  if (!lineage.baselines.empty()) json["baselines"] = BaselinesToJson(lineage);
  AddShortfall(lineage.shortfall, &json);
  return json;
}

}  // namespace tensorguard::internal
