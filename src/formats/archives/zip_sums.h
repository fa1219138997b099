// Whether a zip archive's entries have the checksums that it states.
#ifndef TENSORGUARD_FORMATS_ARCHIVES_ZIP_SUMS_H_
#define TENSORGUARD_FORMATS_ARCHIVES_ZIP_SUMS_H_

#include <string>
#include <vector>

#include "formats/archives/zip.h"

namespace tensorguard::internal {

// Names (attacker text) of the entries whose unpacked bytes have another CRC-32 than the archive
// states, sorted. Reads every entry once, in pieces of 1 MiB a thread, with up to `threads` threads
// (0: one per processor). Errors: as ReadZipDirectory; kBadFile for packed data that is broken;
// those of the source, which must be thread-safe.
Result<std::vector<std::string>> EntriesWithOtherSums(const ByteSource& source, unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ARCHIVES_ZIP_SUMS_H_
