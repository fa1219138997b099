#include "api/registry/registry_json.h"

#include "api/json/shortfall_json.h"
#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal {
namespace {

OrderedJson Answer(const std::string& action) { return ResultObject("registry-" + action); }

OrderedJson ToJson(const ModelRecord& model) {
  return {{"id", model.id},
          {"name", model.name},
          {"source", model.source},
          {"revision", model.revision},
          {"sub_path", model.sub_path},
          {"publisher", model.publisher},
          {"kind", model.kind},
          {"collection", model.collection},
          {"trust", model.trust},
          {"state", model.state},
          {"added_at", model.added.at},
          {"added_by", model.added.who},
          {"fingerprint", HexOf(model.digest)},
          {"architecture", model.architecture},
          {"parameters", model.parameters},
          {"layers", model.layers}};
}

OrderedJson ToJson(const RelationRecord& relation) {
  return {{"child", relation.child},
          {"parent", relation.parent},
          {"kind", relation.kind},
          {"origin", relation.origin},
          {"score", NumberOrNull(relation.score)},
          {"p_value", NumberOrNull(relation.p_value)},
          {"added_at", relation.added.at},
          {"added_by", relation.added.who}};
}

OrderedJson ToJson(const std::vector<ModelFile>& files) {
  OrderedJson json = OrderedJson::array();
  for (const ModelFile& each : files) {
    json.push_back({{"path", each.path}, {"bytes", each.bytes}, {"sha256", HexOf(each.sha256)}});
  }
  return json;
}

OrderedJson ToJson(const SharedRun& run) {
  if (!run.part.empty()) return {{"part", run.part}, {"equal", run.equal}, {"matrices", run.all}};
  return {{"part", "layers"},
          {"equal", run.equal},
          {"matrices", run.all},
          {"stack", run.stack},
          {"first_layer", run.begin},
          {"last_layer", run.end - 1},
          {"other_stack", run.other_stack},
          {"other_first_layer", run.other_begin},
          {"other_last_layer", run.other_begin + (run.end - run.begin) - 1}};
}

OrderedJson NumberOrNull(const std::optional<int64_t>& number) {
  return number ? OrderedJson(*number) : OrderedJson();
}

}  // namespace

OrderedJson RegistryCreatedToJson(const std::string& place) {
  OrderedJson json = Answer("init");
  json["registry"] = place;
  return json;
}

OrderedJson RegistryUpgradedToJson(const std::string& place, int64_t from, int64_t to) {
  OrderedJson json = Answer("upgrade");
  json["registry"] = place;
  json["from_version"] = from;
  json["to_version"] = to;
  return json;
}

OrderedJson RegistryStatusToJson(const std::string& place, const RegistryStatus& status,
                                 std::optional<int64_t> age_seconds, bool too_old) {
  OrderedJson json = Answer("status");
  json["registry"] = place;
  json["engine"] = status.engine;
  json["blobs"] = status.blobs;
  json["schema_version"] = status.schema_version;
  json["models"] = status.models;
  json["past_models"] = status.past_models;
  json["fingerprints"] = status.fingerprints;
  json["fingerprint_bytes"] = status.fingerprint_bytes;
  json["matrix_digests"] = status.matrices;
  json["relations"] = status.relations;
  json["events"] = status.events;
  json["created_at"] = NumberOrNull(status.created_at);
  json["last_added_at"] = NumberOrNull(status.last_added_at);
  json["age_seconds"] = NumberOrNull(age_seconds);
  json["too_old"] = too_old;
  return json;
}

OrderedJson RegistryAddedToJson(const AddedModels& added) {
  OrderedJson json = Answer("add");
  json["models"] = OrderedJson::array();
  for (const AddedModel& each : added.added) {
    OrderedJson model = ToJson(each.model);
    model["added"] = each.addition == Addition::kAdded;
    model["superseded"] = each.superseded;
    json["models"].push_back(std::move(model));
  }
  AddShortfall(added.shortfall, &json);
  return json;
}

OrderedJson RegistryListToJson(const std::vector<ModelRecord>& models) {
  OrderedJson json = Answer("list");
  json["models"] = OrderedJson::array();
  for (const ModelRecord& each : models) json["models"].push_back(ToJson(each));
  return json;
}

OrderedJson RegistryModelToJson(const ModelDetails& details) {
  OrderedJson json = Answer("show");
  json["model"] = ToJson(details.model);
  json["licenses"] = OrderedJson::array();
  for (const LicenseClaim& each : details.licenses) {
    json["licenses"].push_back({{"place", each.place}, {"license", each.license}});
  }
  json["files"] = ToJson(details.files);
  json["relations"] = OrderedJson::array();
  for (const RelationRecord& each : details.relations) json["relations"].push_back(ToJson(each));
  return json;
}

OrderedJson RegistryRemovedToJson(const ModelRecord& model) {
  OrderedJson json = Answer("remove");
  json["model"] = ToJson(model);
  return json;
}

OrderedJson RegistryRelatedToJson(const RelatedModels& related) {
  OrderedJson json = Answer("relate");
  json["child"] = related.child.name;
  json["parent"] = related.parent.name;
  json["asserted"] = related.asserted;
  json["measured"] = {{"verdict", related.measured.kind},
                      {"score", internal::NumberOrNull(related.measured.score)},
                      {"p_value", internal::NumberOrNull(related.measured.p_value)}};
  json["contradicted"] = related.contradicted;
  return json;
}

OrderedJson ExactFilesToJson(const ExactFiles& exact) {
  OrderedJson json = OrderedJson::array();
  for (const ExactMatch& each : exact.matches) {
    json.push_back({{"id", each.model.id},
                    {"name", each.model.name},
                    {"trust", each.model.trust},
                    {"whole", each.whole},
                    {"files", ToJson(each.files)}});
  }
  return json;
}

OrderedJson SearchSummaryToJson(const SearchSummary& summary) {
  return {{"models", summary.models},
          {"fingerprints", summary.fingerprints},
          {"families", summary.families},
          {"by_signature", summary.rescored},
          {"by_equal_parts", summary.by_parts}};
}

OrderedJson RegistrySearchToJson(const RegistrySearchResult& result) {
  OrderedJson json = Answer("search");
  json["model"] = result.name;
  json["exact"] = ExactFilesToJson(result.exact);
  json["searched"] = SearchSummaryToJson(result.summary);
  json["found"] = OrderedJson::array();
  for (const SearchRow& row : result.rows) {
    OrderedJson found = {{"id", row.model.id}, {"name", row.model.name}, {"estimate", row.score}};
    const auto& comparison = row.comparison;
    found["score"] = comparison ? internal::NumberOrNull(comparison->score) : OrderedJson();
    found["verdict"] = comparison ? OrderedJson(VerdictName(comparison->verdict)) : OrderedJson();
    found["direction"] =
        comparison ? OrderedJson(DirectionName(comparison->direction)) : OrderedJson();
    json["found"].push_back(std::move(found));
  }
  return json;
}

OrderedJson RegistrySharedToJson(const SharedPartsResult& result) {
  OrderedJson json = Answer("shared");
  json["model"] = result.name;
  json["matrices"] = result.parts.matrices;
  json["too_common"] = result.parts.too_common;
  json["shared"] = OrderedJson::array();
  for (const SharedModel& each : result.parts.models) {
    OrderedJson shared = {{"id", each.model.id},
                          {"name", each.model.name},
                          {"equal", each.equal},
                          {"share", each.share},
                          {"runs", OrderedJson::array()}};
    for (const SharedRun& run : each.runs) shared["runs"].push_back(ToJson(run));
    json["shared"].push_back(std::move(shared));
  }
  return json;
}

OrderedJson RegistryDuplicatesToJson(const Duplicates& duplicates) {
  OrderedJson json = Answer("duplicates");
  json["saved_bytes"] = duplicates.saved_bytes;
  json["sets"] = OrderedJson::array();
  for (const DuplicateSet& each : duplicates.sets) {
    json["sets"].push_back(
        {{"models", each.models}, {"matrices", each.matrices}, {"saved_bytes", each.saved_bytes}});
  }
  return json;
}

OrderedJson RegistryExportedToJson(const std::string& folder, const ExportSummary& summary) {
  OrderedJson json = Answer("export");
  json["folder"] = folder;
  json["models"] = summary.models;
  json["relations"] = summary.relations;
  json["fingerprints"] = summary.fingerprints;
  return json;
}

OrderedJson RegistryImportedToJson(const std::string& folder, const ImportSummary& summary) {
  OrderedJson json = Answer("import");
  json["folder"] = folder;
  json["added"] = summary.added;
  json["already_there"] = summary.known;
  json["relations"] = summary.relations;
  return json;
}

OrderedJson RegistryVerifiedToJson(const Verification& found) {
  OrderedJson json = Answer("verify");
  json["clean"] = found.faults.empty();
  json["faults"] = OrderedJson::array();
  for (const Fault& each : found.faults) {
    json["faults"].push_back(
        {{"problem", each.problem}, {"subject", each.subject}, {"repaired", each.repaired}});
  }
  json["leftovers"] = OrderedJson::array();
  for (const Leftover& each : found.leftovers) {
    json["leftovers"].push_back({{"fingerprint", HexOf(each.digest)}, {"removed", each.removed}});
  }
  return json;
}

}  // namespace tensorguard::internal
