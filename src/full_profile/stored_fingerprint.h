// A fingerprint as a file holds it.
#ifndef TENSORGUARD_FULL_PROFILE_STORED_FINGERPRINT_H_
#define TENSORGUARD_FULL_PROFILE_STORED_FINGERPRINT_H_

#include "full_profile/full_fingerprint.h"

namespace tensorguard {

// The fingerprint with its numbers rounded to what a file holds, so that a model compares as its
// file does. Of what this returns it returns the same again.
// REQUIRES: no number of a matrix above kLargestStored.
FullFingerprint AsStored(FullFingerprint fingerprint);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_STORED_FINGERPRINT_H_
