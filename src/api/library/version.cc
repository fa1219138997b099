#include "tensorguard/version.h"

#include "base/build_commit.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard {

std::string_view LibraryVersion() { return TENSORGUARD_VERSION; }

std::string_view LibraryCommit() { return internal::BuildCommit(); }

int FingerprintVersion() { return internal::kFingerprintVersion; }

}  // namespace tensorguard
