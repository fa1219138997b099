// tensorguard.stress/1
#ifndef TENSORGUARD_API_JSON_STRESS_JSON_H_
#define TENSORGUARD_API_JSON_STRESS_JSON_H_

#include <optional>
#include <string>

#include "api/json/result_json.h"
#include "transform/stress/stress.h"

namespace tensorguard::internal {

// `html`: the page that was written.
OrderedJson StressToJson(const StressReport& report, const std::optional<std::string>& html = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_STRESS_JSON_H_
