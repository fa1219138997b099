// tensorguard.registry-ACTION/1
#ifndef TENSORGUARD_API_REGISTRY_REGISTRY_JSON_H_
#define TENSORGUARD_API_REGISTRY_REGISTRY_JSON_H_

#include <string>
#include <vector>

#include "api/json/result_json.h"
#include "api/registry/registry_addition.h"
#include "api/registry/registry_search.h"
#include "registry/exchange.h"
#include "registry/state.h"

namespace tensorguard::internal {

OrderedJson RegistryCreatedToJson(const std::string& place);
OrderedJson RegistryUpgradedToJson(const std::string& place, int64_t from, int64_t to);
// `age_seconds`: since something was added last; `too_old`: older than was asked for.
OrderedJson RegistryStatusToJson(const std::string& place, const RegistryStatus& status,
                                 std::optional<int64_t> age_seconds, bool too_old);
OrderedJson RegistryAddedToJson(const AddedModels& added);
OrderedJson RegistryListToJson(const std::vector<ModelRecord>& models);
OrderedJson RegistryModelToJson(const ModelDetails& details);
OrderedJson RegistryRemovedToJson(const ModelRecord& model);
OrderedJson RegistryRelatedToJson(const RelatedModels& related);
// Of an answer of classify, too.
OrderedJson ExactFilesToJson(const ExactFiles& exact);
OrderedJson SearchSummaryToJson(const SearchSummary& summary);
OrderedJson RegistrySearchToJson(const RegistrySearchResult& result);
OrderedJson RegistrySharedToJson(const SharedPartsResult& result);
OrderedJson RegistryDuplicatesToJson(const Duplicates& duplicates);
OrderedJson RegistryExportedToJson(const std::string& folder, const ExportSummary& summary);
OrderedJson RegistryImportedToJson(const std::string& folder, const ImportSummary& summary);
OrderedJson RegistryVerifiedToJson(const Verification& found);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_REGISTRY_JSON_H_
