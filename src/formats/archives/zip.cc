#include "formats/archives/zip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kLocalMagic = kZipMagic;
constexpr std::string_view kCentralMagic = "PK\x01\x02";
constexpr std::string_view kEndMagic = "PK\x05\x06";
constexpr std::string_view kEnd64Magic = "PK\x06\x06";
constexpr std::string_view kLocator64Magic = "PK\x06\x07";
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kLongestCommentBytes = 0xFFFF;
constexpr uint16_t kIs64In16Bits = 0xFFFF;  // the number is in the zip64 record
constexpr uint32_t kIs64In32Bits = 0xFFFFFFFF;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncrypted = 1 | 1 << 6 | 1 << 13;  // flags
constexpr uint16_t kNamesUtf8 = 1 << 11;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

// Little-endian. REQUIRES: the number is inside `bytes`.
template <typename T>
T NumberAt(std::string_view bytes, uint64_t offset) {
  T number;
  std::memcpy(&number, bytes.data() + offset, sizeof(T));
  return number;
}

Error Broken(std::string problem, uint64_t byte_offset) {
  return {.problem = std::move(problem), .byte_offset = byte_offset};
}

// Where the central directory lies.
struct Directory {
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;
  uint64_t entries = 0;
};

Result<Directory> CheckDirectory(const Directory& directory, uint64_t record_begin_bytes) {
  const uint64_t bytes = directory.end_bytes - directory.begin_bytes;
  if (directory.end_bytes < directory.begin_bytes || directory.end_bytes > record_begin_bytes) {
    return Broken("zip archive's directory does not lie inside the file", record_begin_bytes);
  }
  if (directory.end_bytes != record_begin_bytes) {
    return Error{.problem = "zip archive's directory does not end where its record begins",
                 .byte_offset = record_begin_bytes,
                 .found = fmt::format("an end at byte {}", directory.end_bytes)};
  }
  if (directory.entries > bytes / kCentralBytes) {
    return Error{.problem = "zip archive's directory cannot hold as many entries as it says",
                 .byte_offset = record_begin_bytes,
                 .found = fmt::format("{}", directory.entries),
                 .expected = fmt::format("at most {} in {} bytes", bytes / kCentralBytes, bytes)};
  }
  if (directory.entries > kZipMostEntries || bytes > kZipDirectoryLimitBytes) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "zip archive has more entries than this program reads",
                 .byte_offset = record_begin_bytes,
                 .found = fmt::format("{} in {} bytes", directory.entries, bytes),
                 .expected = fmt::format("at most {} in {} bytes", kZipMostEntries,
                                         kZipDirectoryLimitBytes)};
  }
  return directory;
}

Error InParts(uint64_t byte_offset) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "zip archive in several parts is not read",
          .byte_offset = byte_offset};
}

// By the zip64 record, whose locator lies right before the end record.
Result<Directory> Directory64(const ByteSource& source, uint64_t locator_begin) {
  TG_ASSIGN(auto locator, ReadBytes(source, locator_begin, locator_begin + kLocator64Bytes));
  const auto begin = NumberAt<uint64_t>(locator, 8);
  if (NumberAt<uint32_t>(locator, 4) != 0 || NumberAt<uint32_t>(locator, 16) > 1) {
    return InParts(locator_begin);
  }
  if (begin > locator_begin || locator_begin - begin != kEnd64Bytes) {
    return Broken("zip64 record does not lie right before its locator", locator_begin);
  }
  auto record = ReadBytes(source, begin, begin + kEnd64Bytes);
  if (!record) return std::move(record).error();
  if (!record->starts_with(kEnd64Magic))
    return Broken("zip64 record is not where it is said", begin);
  if (NumberAt<uint32_t>(*record, 16) != 0 || NumberAt<uint32_t>(*record, 20) != 0) {
    return InParts(begin);
  }
  const auto directory_begin = NumberAt<uint64_t>(*record, 48);
  const auto end = CheckedAdd(directory_begin, NumberAt<uint64_t>(*record, 40));
  if (!end) return Broken("zip archive's directory does not lie inside the file", begin);
  return CheckDirectory({directory_begin, *end, NumberAt<uint64_t>(*record, 32)}, begin);
}

// The end record ends with a comment, which ends with the file. Readers that look for the last
// signature alone must find the same record.
std::optional<uint64_t> FindEndRecord(std::string_view tail) {
  const uint64_t begin = tail.rfind(kEndMagic);
  if (begin == tail.npos || tail.size() - begin < kEndBytes) return {};
  if (tail.size() - begin != kEndBytes + NumberAt<uint16_t>(tail, begin + 20)) return {};
  return begin;
}

Result<Directory> FindDirectory(const ByteSource& source) {
  const Error not_there = {.problem = "zip archive has no directory at its end",
                           .advice = "fetch the file again; the download was probably cut short"};
  if (source.size_bytes < kEndBytes) return not_there;
  const uint64_t tail_bytes = std::min(source.size_bytes, kEndBytes + kLongestCommentBytes);
  const uint64_t tail_begin = source.size_bytes - tail_bytes;
  TG_ASSIGN(auto tail, ReadBytes(source, tail_begin, source.size_bytes));
  const auto found = FindEndRecord(tail);
  if (!found) return not_there;
  const std::string_view record = std::string_view(tail).substr(*found, kEndBytes);
  const uint64_t begin = tail_begin + *found;

  if (begin >= kLocator64Bytes) {
    TG_ASSIGN(auto locator, ReadBytes(source, begin - kLocator64Bytes,
                                      begin - kLocator64Bytes + kLocator64Magic.size()));
    if (locator == kLocator64Magic) return Directory64(source, begin - kLocator64Bytes);
  }
  if (NumberAt<uint16_t>(record, 4) != 0 || NumberAt<uint16_t>(record, 6) != 0) {
    return InParts(begin);
  }
  const uint64_t directory_begin = NumberAt<uint32_t>(record, 16);
  return CheckDirectory({directory_begin, directory_begin + NumberAt<uint32_t>(record, 12),
                         NumberAt<uint16_t>(record, 10)},
                        begin);
}

// What the central directory says about an entry.
struct CentralEntry {
  std::string_view name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc32 = 0;
  uint64_t packed_bytes = 0;
  uint64_t size_bytes = 0;
  uint64_t header_begin_bytes = 0;  // of the local header
};

// Replaces the numbers that did not fit in 32 bits. False if the extra fields do not hold them, or
// hold them twice.
bool TakeZip64(std::string_view extra, CentralEntry& entry) {
  std::string_view wide;
  while (extra.size() >= 4) {
    const uint64_t length = NumberAt<uint16_t>(extra, 2);
    if (length > extra.size() - 4) return false;
    if (NumberAt<uint16_t>(extra, 0) == kZip64Extra) {
      if (wide.data() != nullptr) return false;
      wide = extra.substr(4, length);
    }
    extra.remove_prefix(4 + length);
  }
  for (uint64_t* number : {&entry.size_bytes, &entry.packed_bytes, &entry.header_begin_bytes}) {
    if (*number != kIs64In32Bits) continue;
    if (wide.size() < sizeof(uint64_t)) return false;
    *number = NumberAt<uint64_t>(wide, 0);
    wide.remove_prefix(sizeof(uint64_t));
  }
  return true;
}

Result<CentralEntry> ReadCentralEntry(std::string_view& rest, uint64_t offset) {
  if (rest.size() < kCentralBytes || !rest.starts_with(kCentralMagic)) {
    return Broken("zip archive's directory is broken", offset);
  }
  const uint64_t name_bytes = NumberAt<uint16_t>(rest, 28);
  const uint64_t extra_bytes = NumberAt<uint16_t>(rest, 30);
  const uint64_t total = kCentralBytes + name_bytes + extra_bytes + NumberAt<uint16_t>(rest, 32);
  if (total > rest.size()) return Broken("zip archive's directory is broken", offset);
  CentralEntry entry = {.name = rest.substr(kCentralBytes, name_bytes),
                        .flags = NumberAt<uint16_t>(rest, 8),
                        .method = NumberAt<uint16_t>(rest, 10),
                        .crc32 = NumberAt<uint32_t>(rest, 16),
                        .packed_bytes = NumberAt<uint32_t>(rest, 20),
                        .size_bytes = NumberAt<uint32_t>(rest, 24),
                        .header_begin_bytes = NumberAt<uint32_t>(rest, 42)};
  const uint16_t disk = NumberAt<uint16_t>(rest, 34);
  if (disk != 0 && disk != kIs64In16Bits) return InParts(offset);
  if (!IsUtf8(entry.name)) return Broken("zip entry's name is not UTF-8", offset);
  if (entry.name.find('\0') != entry.name.npos) {
    return Broken("zip entry's name holds a zero byte", offset);
  }
  if (!TakeZip64(rest.substr(kCentralBytes + name_bytes, extra_bytes), entry)) {
    return Broken("zip entry lacks its zip64 numbers", offset);
  }
  rest.remove_prefix(total);
  return entry;
}

Result<void> CheckEntry(const CentralEntry& entry) {
  if ((entry.flags & kEncrypted) != 0) {
    return Error{.kind = ErrorKind::kUnsupported, .problem = "zip entry is encrypted"};
  }
  if (entry.method != kStored && entry.method != kDeflated) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "zip entry is packed by a method that is not read",
                 .found = fmt::format("method {}", entry.method),
                 .expected = "0 (stored) or 8 (deflated)"};
  }
  if (entry.method == kStored && entry.packed_bytes != entry.size_bytes) {
    return Error{.problem = "stored zip entry has two lengths",
                 .found = fmt::format("{} and {} bytes", entry.packed_bytes, entry.size_bytes)};
  }
  return {};
}

// Where the data lies: behind the local header, whose extra fields have a length of their own.
Result<ZipEntry> Locate(const ByteSource& source, const CentralEntry& entry,
                        uint64_t directory_begin) {
  const uint64_t begin = entry.header_begin_bytes;
  const auto name_end = CheckedAdd(begin, kLocalBytes + entry.name.size());
  if (!name_end || *name_end > directory_begin) {
    return Broken("zip entry does not lie inside the file", begin);
  }
  TG_ASSIGN(auto header, ReadBytes(source, begin, *name_end));
  if (!header.starts_with(kLocalMagic) || NumberAt<uint16_t>(header, 8) != entry.method ||
      NumberAt<uint16_t>(header, 26) != entry.name.size() ||
      header.substr(kLocalBytes) != entry.name) {
    return Broken("zip entry and the archive's directory disagree", begin);
  }
  const uint64_t data_begin = *name_end + NumberAt<uint16_t>(header, 28);
  const auto data_end = CheckedAdd(data_begin, entry.packed_bytes);
  if (!data_end || *data_end > directory_begin) {
    return Broken("zip entry does not lie inside the file", begin);
  }
  return ZipEntry{.name = std::string(entry.name),
                  .deflated = entry.method == kDeflated,
                  .names_utf8 = (entry.flags & kNamesUtf8) != 0,
                  .begin_bytes = data_begin,
                  .end_bytes = *data_end,
                  .size_bytes = entry.size_bytes,
                  .crc32 = entry.crc32};
}

struct Extent {
  uint64_t begin_bytes;
  uint64_t end_bytes;
};

Result<void> CheckApart(std::vector<Extent> extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin_bytes < b.begin_bytes; });
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin_bytes < extents[i - 1].end_bytes) {
      return Broken("zip entry overlaps another", extents[i].begin_bytes);
    }
  }
  return {};
}

}  // namespace

const ZipEntry* ZipDirectory::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

Result<ZipDirectory> ReadZipDirectory(const ByteSource& source) {
  TG_ASSIGN(const auto place, FindDirectory(source));
  TG_ASSIGN(auto bytes, ReadBytes(source, place.begin_bytes, place.end_bytes));

  ZipDirectory directory;
  std::vector<Extent> extents;
  std::string_view rest = bytes;
  for (uint64_t i = 0; i < place.entries; ++i) {
    TG_ASSIGN(auto central, ReadCentralEntry(rest, place.end_bytes - rest.size()));
    auto checked = CheckEntry(central);
    if (!checked) return std::move(checked).error().InTensor(central.name);
    auto entry = Locate(source, central, place.begin_bytes);
    if (!entry) return std::move(entry).error().InTensor(central.name);
    extents.push_back({central.header_begin_bytes, entry->end_bytes});
    directory.entries.push_back(*std::move(entry));
  }
  if (!rest.empty()) {
    return Broken("zip archive's directory goes on behind its last entry",
                  place.end_bytes - rest.size());
  }
  TG_TRY(CheckApart(std::move(extents)));
  if (!directory.entries.empty()) directory.first_name = directory.entries[0].name;
  std::sort(directory.entries.begin(), directory.entries.end(),
            [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  const auto twin =
      std::adjacent_find(directory.entries.begin(), directory.entries.end(),
                         [](const ZipEntry& a, const ZipEntry& b) { return a.name == b.name; });
  if (twin == directory.entries.end()) return directory;
  return Error{.problem = "zip entry is there twice", .tensor = twin->name};
}

}  // namespace tensorguard::internal
