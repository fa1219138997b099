// tensorguard.fingerprint/1
#ifndef TENSORGUARD_API_JSON_FINGERPRINT_JSON_H_
#define TENSORGUARD_API_JSON_FINGERPRINT_JSON_H_

#include <vector>

#include "api/fingerprinting/fingerprint_files.h"
#include "api/json/result_json.h"

namespace tensorguard::internal {

// `errors`: of the models that have no fingerprint.
OrderedJson FingerprintedModelsToJson(const std::vector<FingerprintedModel>& models,
                                      const std::vector<Error>& errors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_FINGERPRINT_JSON_H_
