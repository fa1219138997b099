#include "tensorguard/version.h"

#include "fingerprint/fingerprint.h"

namespace tensorguard {

std::string_view LibraryVersion() { return TENSORGUARD_VERSION; }

int FingerprintVersion() { return internal::kFingerprintVersion; }

}  // namespace tensorguard
