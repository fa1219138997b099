// Where the fingerprints of many models are written.
#ifndef TENSORGUARD_API_FINGERPRINTING_PLANNED_OUTPUTS_H_
#define TENSORGUARD_API_FINGERPRINTING_PLANNED_OUTPUTS_H_

#include <string>
#include <vector>

#include "api/fingerprinting/fingerprint_files.h"

namespace tensorguard::internal {

// The file for each model. Errors: kUsage for one file for several models, and for two models that
// would be written to one.
Result<std::vector<std::string>> PlanOutputs(const FingerprintRequest& request);

// Makes the folder that the files lie in, if the request names one. Errors: kSystem.
Result<void> MakeOutputFolder(const FingerprintRequest& request);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FINGERPRINTING_PLANNED_OUTPUTS_H_
