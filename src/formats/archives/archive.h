// Archives and packed files: models are passed on in them, but are not read from them.
#ifndef TENSORGUARD_FORMATS_ARCHIVES_ARCHIVE_H_
#define TENSORGUARD_FORMATS_ARCHIVES_ARCHIVE_H_

#include <cstddef>
#include <string_view>

namespace tensorguard::internal {

struct ArchiveKind {
  std::string_view name;    // "tar archive packed by gzip"
  std::string_view unpack;  // the command that unpacks FILE
};

// By the end of its name (".tar.gz"), in any case; or null.
const ArchiveKind* ArchiveOfName(std::string_view file_name);

// How much of a file's start tells what it is: the magic number of tar comes after a header's name.
inline constexpr size_t kArchiveStartBytes = 262;

// By what it starts with (`start` has kArchiveStartBytes, or all bytes if there are fewer), and
// where that tells nothing, by its name. Null for weights whatever their name, so for zip archives,
// which PyTorch and NumPy write, too.
const ArchiveKind* ArchiveOfFile(std::string_view file_name, std::string_view start);

// Whether it starts as a tar archive.
bool StartsAsTar(std::string_view start);

// Whether it starts with a header that readers of tar accept: by its checksum, which is all that
// the oldest form has. Asks for 512 bytes.
bool HasTarChecksum(std::string_view start);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ARCHIVES_ARCHIVE_H_
