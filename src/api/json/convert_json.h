// tensorguard.convert/1
#ifndef TENSORGUARD_API_JSON_CONVERT_JSON_H_
#define TENSORGUARD_API_JSON_CONVERT_JSON_H_

#include "api/changes/conversion.h"
#include "api/json/result_json.h"

namespace tensorguard::internal {

OrderedJson ConvertedModelToJson(const ConvertedModel& converted);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_CONVERT_JSON_H_
