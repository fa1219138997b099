// tensorguard.classify/1
#ifndef TENSORGUARD_API_JSON_CLASSIFICATION_JSON_H_
#define TENSORGUARD_API_JSON_CLASSIFICATION_JSON_H_

#include <vector>

#include "api/classification.h"
#include "api/json/result_json.h"
#include "api/paper/paper_classification.h"

namespace tensorguard::internal {

OrderedJson ClassifiedModelToJson(const ClassifiedModel& model);
OrderedJson PaperClassifiedModelToJson(const PaperClassifiedModel& model);

// [{model, feature, value}]: values that were filled in.
OrderedJson ImputedToJson(const std::vector<ImputedFeature>& imputed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_CLASSIFICATION_JSON_H_
