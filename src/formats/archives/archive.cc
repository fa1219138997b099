#include "formats/archives/archive.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.h"
#include "formats/archives/zip.h"
#include "formats/gguf/gguf.h"
#include "formats/numpy/numpy.h"
#include "formats/torch/torch.h"
#include "safetensors/safetensors_header.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_view_literals;

// RFC 1952 (the method is always 8), the .xz file format, bzip2's source, RFC 8878, LZ4's frame
// format, 7-Zip's 7zFormat.txt, and RAR's technical note.
constexpr std::string_view kGzip = "\x1F\x8B\x08"sv;
constexpr std::string_view kXz =
    "\xFD"
    "7zXZ\0"sv;
constexpr std::string_view kBzip2 = "BZh"sv;
constexpr std::string_view kZstandard = "\x28\xB5\x2F\xFD"sv;
constexpr std::string_view kLz4 = "\x04\x22\x4D\x18"sv;
constexpr std::string_view k7z = "7z\xBC\xAF\x27\x1C"sv;
constexpr std::string_view kRar = "Rar!\x1A\x07"sv;
// POSIX's ustar and GNU's tar alike.
constexpr std::string_view kTar = "ustar"sv;
constexpr size_t kTarMagicBegin = 257;

struct NamedArchive {
  std::string_view suffix;
  std::string_view magic;
  ArchiveKind kind;
};

// Longer suffixes come before their ends.
constexpr std::array kArchives = std::to_array<NamedArchive>({
    {".tar.gz", kGzip, {"tar archive packed by gzip", "tar -xzf FILE"}},
    {".tgz", kGzip, {"tar archive packed by gzip", "tar -xzf FILE"}},
    {".tar.xz", kXz, {"tar archive packed by xz", "tar -xJf FILE"}},
    {".txz", kXz, {"tar archive packed by xz", "tar -xJf FILE"}},
    {".tar.bz2", kBzip2, {"tar archive packed by bzip2", "tar -xjf FILE"}},
    {".tbz2", kBzip2, {"tar archive packed by bzip2", "tar -xjf FILE"}},
    {".tar.zst", kZstandard, {"tar archive packed by zstd", "tar --zstd -xf FILE"}},
    {".gz", kGzip, {"file packed by gzip", "gunzip -k FILE"}},
    {".xz", kXz, {"file packed by xz", "unxz -k FILE"}},
    {".bz2", kBzip2, {"file packed by bzip2", "bunzip2 -k FILE"}},
    {".zst", kZstandard, {"file packed by zstd", "unzstd FILE"}},
    {".lz4", kLz4, {"file packed by lz4", "unlz4 FILE"}},
    {".7z", k7z, {"7-Zip archive", "7z x FILE"}},
    {".rar", kRar, {"RAR archive", "unrar x FILE"}},
    {".zip", {}, {"zip archive", "unzip FILE"}},
    {".tar", {}, {"tar archive", "tar -xf FILE"}},
});

// Where the name does not tell whether a tar archive is packed. Most tools want a name of theirs.
constexpr std::array kUnnamed = std::to_array<NamedArchive>({
    {{}, kGzip, {"file packed by gzip", "gunzip < FILE > OTHER, and tar -xf OTHER if that is one"}},
    {{}, kXz, {"file packed by xz", "unxz < FILE > OTHER, and tar -xf OTHER if that is one"}},
    {{},
     kBzip2,
     {"file packed by bzip2", "bunzip2 < FILE > OTHER, and tar -xf OTHER if that is one"}},
    {{},
     kZstandard,
     {"file packed by zstd", "unzstd < FILE > OTHER, and tar -xf OTHER if that is one"}},
    {{}, kLz4, {"file packed by lz4", "unlz4 < FILE > OTHER, and tar -xf OTHER if that is one"}},
    {{}, k7z, {"7-Zip archive", "7z x FILE"}},
    {{}, kRar, {"RAR archive", "unrar x FILE"}},
});

constexpr ArchiveKind kPlainTar = {"tar archive", "tar -xf FILE"};

const NamedArchive* FindByName(std::string_view file_name) {
  const std::string lower = LowerAscii(file_name);
  const auto found =
      std::find_if(kArchives.begin(), kArchives.end(),
                   [&](const NamedArchive& archive) { return lower.ends_with(archive.suffix); });
  return found == kArchives.end() ? nullptr : &*found;
}

// Of safetensors the length of a header and the brace that it begins with.
bool StartsAsWeights(std::string_view start) {
  return (start.size() > kLengthFieldBytes && start[kLengthFieldBytes] == '{') ||
         start.starts_with(kZipMagic) || start.starts_with(kNumpyMagic) ||
         start.starts_with(kGgufMagic) || StartsAsTorchLegacy(start);
}

// bzip2's third letter is followed by the block size and the mark of a block or of the end.
bool HasMagic(std::string_view start, std::string_view magic) {
  if (!start.starts_with(magic)) return false;
  if (magic != kBzip2) return true;
  const std::string_view mark = start.substr(std::min<size_t>(4, start.size()));
  return mark.starts_with("1AY&SY") || mark.starts_with("\x17rE8P\x90");
}

// Octal digits, as lenient as Python reads them, or base 256 after a first byte of 0x80 or 0xFF.
std::optional<int64_t> TarNumber(std::string_view field) {
  const auto first = static_cast<unsigned char>(field[0]);
  if (first == 0x80 || first == 0xFF) {
    int64_t number = first == 0xFF ? -1 : 0;
    for (const char c : field.substr(1)) {
      number =
          static_cast<int64_t>(static_cast<uint64_t>(number) << 8 | static_cast<unsigned char>(c));
    }
    return number;
  }
  field = field.substr(0, field.find('\0'));
  int64_t number = 0;
  for (const char c : field) {
    if (std::string_view(" \t\n\r\v\f_+oO").find(c) != std::string_view::npos) continue;
    if (c < '0' || c > '7') return {};
    number = number * 8 + (c - '0');
  }
  return number;
}

}  // namespace

const ArchiveKind* ArchiveOfName(std::string_view file_name) {
  const NamedArchive* const found = FindByName(file_name);
  return found == nullptr ? nullptr : &found->kind;
}

bool StartsAsTar(std::string_view start) {
  return start.size() > kTarMagicBegin && start.substr(kTarMagicBegin).starts_with(kTar);
}

bool HasTarChecksum(std::string_view start) {
  constexpr size_t kHeaderBytes = 512;
  constexpr size_t kChecksumBegin = 148;
  constexpr size_t kChecksumBytes = 8;
  if (start.size() < kHeaderBytes) return false;
  const std::string_view header = start.substr(0, kHeaderBytes);
  int64_t of_unsigned = kChecksumBytes * ' ';  // the field itself counts as spaces
  int64_t of_signed = of_unsigned;
  for (size_t i = 0; i < header.size(); ++i) {
    if (i >= kChecksumBegin && i < kChecksumBegin + kChecksumBytes) continue;
    of_unsigned += static_cast<unsigned char>(header[i]);
    of_signed += static_cast<signed char>(header[i]);
  }
  const auto checksum = TarNumber(header.substr(kChecksumBegin, kChecksumBytes));
  return checksum && (*checksum == of_unsigned || *checksum == of_signed);
}

const ArchiveKind* ArchiveOfFile(std::string_view file_name, std::string_view start) {
  if (StartsAsWeights(start)) return nullptr;
  if (StartsAsTar(start)) return &kPlainTar;
  const NamedArchive* const named = FindByName(file_name);
  const auto found =
      std::find_if(kUnnamed.begin(), kUnnamed.end(),
                   [&](const NamedArchive& archive) { return HasMagic(start, archive.magic); });
  const bool agrees = found == kUnnamed.end() || (named != nullptr && named->magic == found->magic);
  if (!agrees) return &found->kind;
  return named == nullptr ? nullptr : &named->kind;
}

}  // namespace tensorguard::internal
