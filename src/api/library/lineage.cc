#include "tensorguard/lineage.h"

#include <set>
#include <utility>

#include "api/library/caller_session.h"
#include "api/lineage/family_lineage.h"
#include "api/lineage/lineage_json.h"
#include "api/lineage/lineage_pictures.h"
#include "base/try.h"

namespace tensorguard {
namespace {

Result<void> CheckNames(std::span<const Fingerprint> models) {
  std::set<std::string_view> names;
  for (const Fingerprint& model : models) {
    if (names.insert(model.model_name()).second) continue;
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "two models have one name",
                 .found = model.model_name(),
                 .advice = "give one of them another name with Renamed"};
  }
  return {};
}

LineageEdge PublicEdge(const internal::FamilyLineage& lineage, const internal::LineageEdge& edge) {
  LineageEdge shown = {.child = lineage.names[edge.child],
                       .parent = lineage.names[edge.parent],
                       .kind = std::string(internal::EdgeKindName(edge.kind)),
                       .directed = edge.directed,
                       .certainty = edge.certainty,
                       .weight = edge.weight};
  if (edge.runner_up) shown.runner_up = lineage.names[*edge.runner_up];
  return shown;
}

Lineage PublicLineage(internal::FamilyLineage traced) {
  Lineage lineage;
  for (size_t node = 0; node < traced.names.size(); ++node) {
    const size_t family = internal::FamilyOf(traced, node);
    if (!internal::IsShown(traced, family)) continue;
    lineage.nodes.push_back({.name = traced.names[node],
                             .family = family,
                             .root = traced.graph.root_of_family[family] == node,
                             .missing = node >= traced.graph.models});
  }
  for (const internal::LineageEdge& edge : traced.graph.edges) {
    if (!internal::IsShown(traced, internal::FamilyOf(traced, edge.child))) continue;
    lineage.edges.push_back(PublicEdge(traced, edge));
  }
  lineage.details = std::make_shared<const internal::FamilyLineage>(std::move(traced));
  return lineage;
}

}  // namespace

Result<Lineage> TraceLineage(std::span<const Fingerprint> models, const LineageOptions& options) {
  if (models.empty()) {
    return Error{.kind = ErrorKind::kUsage, .problem = "there is no model to trace"};
  }
  TG_TRY(CheckNames(models));
  std::vector<internal::Fingerprint> prints;
  for (const Fingerprint& model : models) prints.push_back(model.data());
  internal::LineageRequest request = {.threads = options.threads};
  if (!options.root.empty()) request.root = options.root;
  ReadOptions listening;
  listening.callbacks = options.callbacks;
  const internal::CallerSession session(listening);
  TG_ASSIGN(auto traced, internal::TracePrints(prints, request, session.listener()));
  return PublicLineage(std::move(traced));
}

std::string LineageAsJson(const Lineage& lineage) {
  return internal::JsonText(internal::FamilyLineageToJson(*lineage.details));
}

std::string LineageAsSvg(const Lineage& lineage) {
  return internal::LineageToSvg(*lineage.details);
}

std::string LineageAsHtml(const Lineage& lineage) {
  return internal::LineageToHtml(*lineage.details);
}

std::string LineageAsDot(const Lineage& lineage) {
  return internal::LineageToDot(*lineage.details);
}

}  // namespace tensorguard
