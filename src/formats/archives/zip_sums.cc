#include "formats/archives/zip_sums.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/parallel.h"
#include "base/try.h"
#include "formats/archives/deflated_data.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

// `bytes` of what `source` holds from `begin_bytes` on.
Result<uint32_t> SumOf(const ByteSource& source, uint64_t begin_bytes, uint64_t bytes) {
  std::vector<std::byte> piece(std::min(bytes, kPieceBytes));
  uint32_t sum = 0;
  for (uint64_t done = 0; done < bytes; done += piece.size()) {
    piece.resize(std::min(bytes - done, kPieceBytes));
    TG_TRY(source.read(begin_bytes + done, piece));
    sum = libdeflate_crc32(sum, piece.data(), piece.size());
  }
  return sum;
}

Result<uint32_t> SumOf(const ByteSource& source, const ZipEntry& entry) {
  if (!entry.deflated) return SumOf(source, entry.begin_bytes, entry.size_bytes);
  const DeflatedData packed(entry.begin_bytes, entry.end_bytes, entry.size_bytes);
  const ByteSource unpacked = {
      .read = [&](uint64_t offset_bytes,
                  std::span<std::byte> out) { return packed.ReadAt(source, offset_bytes, out); },
      .size_bytes = entry.size_bytes};
  return SumOf(unpacked, 0, entry.size_bytes);
}

}  // namespace

Result<std::vector<std::string>> EntriesWithOtherSums(const ByteSource& source, unsigned threads) {
  TG_ASSIGN(const auto directory, ReadZipDirectory(source));
  std::vector<char> differs(directory.entries.size());
  TG_TRY(ParallelFor(directory.entries.size(), threads, [&](size_t i) -> Result<void> {
    const ZipEntry& entry = directory.entries[i];
    auto sum = SumOf(source, entry);
    if (!sum) return std::move(sum).error().InTensor(entry.name);
    differs[i] = *sum != entry.crc32;
    return {};
  }));
  std::vector<std::string> names;
  for (size_t i = 0; i < differs.size(); ++i) {
    if (differs[i]) names.push_back(directory.entries[i].name);
  }
  return names;
}

}  // namespace tensorguard::internal
