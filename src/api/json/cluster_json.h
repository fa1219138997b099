// tensorguard.cluster/1
#ifndef TENSORGUARD_API_JSON_CLUSTER_JSON_H_
#define TENSORGUARD_API_JSON_CLUSTER_JSON_H_

#include <optional>
#include <string>

#include "api/family_groups.h"
#include "api/json/result_json.h"
#include "api/paper/paper_families.h"

namespace tensorguard::internal {

// `plot`: the picture that was written.
OrderedJson FamilyGroupsToJson(const FamilyGroups& groups,
                               const std::optional<std::string>& plot = {});
OrderedJson PaperFamiliesToJson(const PaperFamilies& families,
                                const std::optional<std::string>& plot = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_CLUSTER_JSON_H_
