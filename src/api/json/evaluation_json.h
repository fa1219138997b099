// tensorguard.evaluate/1
#ifndef TENSORGUARD_API_JSON_EVALUATION_JSON_H_
#define TENSORGUARD_API_JSON_EVALUATION_JSON_H_

#include "api/evaluation/evaluation_report.h"
#include "api/json/result_json.h"

namespace tensorguard::internal {

OrderedJson EvaluationToJson(const EvaluationReport& report);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_EVALUATION_JSON_H_
