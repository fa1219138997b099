// tensorguard.lineage (docs/json.md).
#ifndef TENSORGUARD_API_LINEAGE_LINEAGE_JSON_H_
#define TENSORGUARD_API_LINEAGE_LINEAGE_JSON_H_

#include "api/json/result_json.h"
#include "api/lineage/family_lineage.h"

namespace tensorguard::internal {

OrderedJson FamilyLineageToJson(const FamilyLineage& lineage);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_LINEAGE_JSON_H_
