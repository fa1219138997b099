// Whether a fingerprint's numbers can be those of a model.
#ifndef TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_CHECKS_H_
#define TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_CHECKS_H_

#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Anchors ascending and inside their list and the vocabulary; measures finite and in their bounds.
// Errors: kBadFile, naming the file's tensor; kUnsupported for anchors of a newer list.
Result<void> CheckFingerprint(const Fingerprint& fingerprint);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_CHECKS_H_
