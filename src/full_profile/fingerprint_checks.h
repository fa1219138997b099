// Whether a fingerprint's numbers can be those of a model.
#ifndef TENSORGUARD_FULL_PROFILE_FINGERPRINT_CHECKS_H_
#define TENSORGUARD_FULL_PROFILE_FINGERPRINT_CHECKS_H_

#include "base/result.h"
#include "full_profile/full_fingerprint.h"

namespace tensorguard {

// Anchors ascending and inside their list and the vocabulary; measures finite and in their bounds.
// Errors: kBadFile, naming the file's tensor; kUnsupported for anchors of a newer list.
Result<void> CheckFingerprint(const FullFingerprint& fingerprint);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_FINGERPRINT_CHECKS_H_
