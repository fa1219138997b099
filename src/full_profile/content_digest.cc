#include "full_profile/content_digest.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace tensorguard {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are of little-endian bytes");

// Numbers that are converted at a time: a batch of the hash.
constexpr size_t kPiece = kBlake3BatchBytes / sizeof(BFloat16);

BlockDigest WithBytesPerNumber(std::byte bytes_per_number, const Blake3Digest& digest) {
  std::array<std::byte, 1 + sizeof(Blake3Digest)> bytes = {bytes_per_number};
  std::copy_n(std::as_bytes(std::span(digest)).begin(), digest.size(), bytes.begin() + 1);
  return Blake3(bytes);
}

// Returns whether all are bfloat16 numbers; only then `out` is meant.
bool NarrowExactly(std::span<const float> values, BFloat16* out) {
  uint32_t seen = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(values[i]);
    seen |= bits;
    out[i] = static_cast<BFloat16>(bits >> 16);
  }
  return (seen & 0xffff) == 0;
}

std::optional<Blake3Digest> HashAsBFloat16(std::span<const float> values) {
  Blake3Hasher hasher;
  std::array<BFloat16, kPiece> narrow;
  while (!values.empty()) {
    const size_t count = std::min(values.size(), kPiece);
    if (!NarrowExactly(values.first(count), narrow.data())) return {};
    hasher.Add(std::as_bytes(std::span(narrow).first(count)));
    values = values.subspan(count);
  }
  return hasher.Finish();
}

}  // namespace

BlockDigest DigestOfValues(std::span<const BFloat16> values) {
  return WithBytesPerNumber(std::byte{2}, Blake3(std::as_bytes(values)));
}

BlockDigest DigestOfValues(std::span<const float> values) {
  if (const auto digest = HashAsBFloat16(values)) return WithBytesPerNumber(std::byte{2}, *digest);
  return WithBytesPerNumber(std::byte{4}, Blake3(std::as_bytes(values)));
}

ContentDigest DigestOfBlocks(std::span<const BlockDigest> blocks) {
  const Blake3Digest whole = Blake3(std::as_bytes(blocks));
  ContentDigest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace tensorguard
