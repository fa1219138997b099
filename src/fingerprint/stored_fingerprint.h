// A fingerprint as a file holds it.
#ifndef TENSORGUARD_FINGERPRINT_STORED_FINGERPRINT_H_
#define TENSORGUARD_FINGERPRINT_STORED_FINGERPRINT_H_

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// The fingerprint with its numbers rounded to what a file holds, so that a model compares as its
// file does. Of what this returns it returns the same again.
// REQUIRES: no number of a matrix above kLargestStored.
Fingerprint AsStored(Fingerprint fingerprint);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_STORED_FINGERPRINT_H_
