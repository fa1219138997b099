// Which TensorGuard this is.
#ifndef TENSORGUARD_TENSORGUARD_VERSION_H_
#define TENSORGUARD_TENSORGUARD_VERSION_H_

#include <string_view>

#include "tensorguard/export.h"

namespace tensorguard {

// "0.1.0", of the library that runs, which may be newer than the headers.
TENSORGUARD_EXPORT std::string_view LibraryVersion();

// The commit that it was built from: 40 hexadecimal digits, with "+changes" where files had been
// changed since; empty where that is not known.
TENSORGUARD_EXPORT std::string_view LibraryCommit();

// Of the fingerprints that it writes and reads; files of other versions are refused.
TENSORGUARD_EXPORT int FingerprintVersion();

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_VERSION_H_
