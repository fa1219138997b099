// What a registry tells, as text.
#ifndef TENSORGUARD_CLI_OUTPUT_REGISTRY_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_REGISTRY_OUTPUT_H_

#include <optional>
#include <string>
#include <vector>

#include "api/registry/registry_addition.h"
#include "api/registry/registry_search.h"
#include "registry/state.h"

namespace tensorguard::internal::cli {

// "2026-11-29 16:31", UTC.
std::string TimeText(int64_t seconds_since_1970);
// "12 days", "3 hours".
std::string AgeText(int64_t seconds);
// "1.2B", "608k".
std::string ParametersText(uint64_t parameters);

// Names are escaped.
std::string ModelListText(const std::vector<ModelRecord>& models);
std::string ModelText(const ModelDetails& details);
std::string StatusText(const std::string& place, const RegistryStatus& status,
                       std::optional<int64_t> age_seconds);
std::string AddedText(const AddedModels& added);
std::string RelatedText(const RelatedModels& related);
// `seconds`: what the search took.
std::string SearchText(const RegistrySearchResult& result, double seconds);
std::string SharedText(const SharedPartsResult& result);
std::string DuplicatesText(const Duplicates& duplicates);
std::string VerificationText(const Verification& found);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_REGISTRY_OUTPUT_H_
