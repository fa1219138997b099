// tensorguard.sensitivity/1
#ifndef TENSORGUARD_API_JSON_SENSITIVITY_JSON_H_
#define TENSORGUARD_API_JSON_SENSITIVITY_JSON_H_

#include "api/json/result_json.h"
#include "api/paper/measured_sensitivity.h"

namespace tensorguard::internal {

OrderedJson MeasuredSensitivityToJson(const MeasuredSensitivity& measured);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_SENSITIVITY_JSON_H_
