// The table of contents of a zip archive: which entry lies where in the file.
#ifndef TENSORGUARD_FORMATS_ARCHIVES_ZIP_H_
#define TENSORGUARD_FORMATS_ARCHIVES_ZIP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/byte_source.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr std::string_view kZipMagic = "PK\x03\x04";

// Far above what is in use (an entry per tensor), so that memory is bounded.
inline constexpr uint64_t kZipMostEntries = 1 << 20;
inline constexpr uint64_t kZipDirectoryLimitBytes = 256ull << 20;

struct ZipEntry {
  std::string name;          // never used as a path: attacker text
  bool deflated = false;     // else the bytes lie in the file as they are
  bool names_utf8 = false;   // whether the archive says that the name is UTF-8
  uint64_t begin_bytes = 0;  // of the data, from the start of the file
  uint64_t end_bytes = 0;
  uint64_t size_bytes = 0;  // unpacked, as the archive says; end - begin if not deflated
  uint32_t crc32 = 0;       // of the unpacked bytes, as the archive says; not checked
};

struct ZipDirectory {
  std::vector<ZipEntry> entries;  // sorted by name, names unique
  std::string first_name;         // of the entry that the archive lists first

  // Null if there is none.
  const ZipEntry* Find(std::string_view name) const;
};

// Reads and checks the central directory and each entry's local header (PKWARE's APPNOTE 6.3.10,
// with zip64). The two must agree, and entries lie inside the file and apart from each other. What
// readers of zip archives see differently is refused: a second end record, a directory that does
// not end where its record begins or that goes on behind its last entry, and names with a zero
// byte. Errors: kBadFile with the byte; kUnsupported for encryption, methods other than stored and
// deflated, archives in several parts, and more than the limits.
Result<ZipDirectory> ReadZipDirectory(const ByteSource& source);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ARCHIVES_ZIP_H_
