// tensorguard.transform/1
#ifndef TENSORGUARD_API_JSON_TRANSFORM_JSON_H_
#define TENSORGUARD_API_JSON_TRANSFORM_JSON_H_

#include "api/changes/transformation.h"
#include "api/json/result_json.h"

namespace tensorguard::internal {

OrderedJson TransformedModelToJson(const TransformedModel& transformed);

// The list of all changes.
OrderedJson KnownChangesToJson();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_TRANSFORM_JSON_H_
