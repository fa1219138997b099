// What of many models was not read, in JSON.
#ifndef TENSORGUARD_API_JSON_SHORTFALL_JSON_H_
#define TENSORGUARD_API_JSON_SHORTFALL_JSON_H_

#include "api/json/result_json.h"
#include "api/reading/gathering.h"

namespace tensorguard::internal {

// Sets "error" and "errors" as AddErrors, and "left_out" where there is any.
void AddShortfall(const Shortfall& shortfall, OrderedJson* object);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_SHORTFALL_JSON_H_
