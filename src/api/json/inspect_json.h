// tensorguard.inspect/1
#ifndef TENSORGUARD_API_JSON_INSPECT_JSON_H_
#define TENSORGUARD_API_JSON_INSPECT_JSON_H_

#include <string>

#include "api/inspection/inspected_model.h"
#include "api/json/result_json.h"

namespace tensorguard::internal {

// All but the last field, the tensors: as one object, those of a model with many experts would take
// more memory than all else.
OrderedJson InspectedModelToJson(const InspectedModel& inspected);

// An entry of "tensors".
OrderedJson InspectedTensorToJson(const TensorInfo& tensor, const TensorRole& role);

// Of a fingerprint file, whole.
OrderedJson InspectedFingerprintToJson(const Fingerprint& print, const std::string& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_INSPECT_JSON_H_
