#include "fingerprint/digest/content_digest.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are of little-endian bytes");

// Numbers that are converted at a time: a batch of the hash.
constexpr size_t kPiece = kBlake3BatchBytes / sizeof(BFloat16);
constexpr size_t kWidePiece = kBlake3BatchBytes / sizeof(float);

constexpr uint32_t kSignBit = 0x8000'0000;
// Magnitudes from here on round to infinity.
constexpr uint32_t kBFloat16Overflow = 0x7f7f'8000;
constexpr uint32_t kFloat16Overflow = 0x477f'f000;  // 65,520

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

bool HasFrom(std::span<const float> values, uint32_t least_magnitude) {
  uint32_t greatest = 0;
  for (const float value : values) {
    greatest = std::max(greatest, std::bit_cast<uint32_t>(value) & ~kSignBit);
  }
  return greatest >= least_magnitude;
}

// The nearest float16 number. REQUIRES: it is finite.
float RoundedToFloat16(float value) {
  constexpr uint32_t kSmallestNormal = 0x3880'0000;  // 2^-14
  constexpr float kEndsAtSmallestSubnormal = 0.5f;   // the last bit of numbers from here is 2^-24
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & ~kSignBit;
  const uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1)) & ~uint32_t{0x1fff};
  const float small =
      std::bit_cast<float>(magnitude) + kEndsAtSmallestSubnormal - kEndsAtSmallestSubnormal;
  const uint32_t rounded = magnitude < kSmallestNormal ? std::bit_cast<uint32_t>(small) : normal;
  return std::bit_cast<float>(rounded | (bits & kSignBit));
}

void RoundToFloat16(std::span<const float> values, float* out) {
  for (size_t i = 0; i < values.size(); ++i) out[i] = RoundedToFloat16(values[i]);
}

// As bfloat16 as long as every rounded number is one, else as float32.
BlockDigest DigestOfFloat16(std::span<const float> values) {
  std::array<float, kWidePiece> rounded;
  std::array<BFloat16, kWidePiece> narrow;
  Blake3Hasher narrow_hasher;
  bool is_narrow = true;
  for (size_t begin = 0; is_narrow && begin < values.size(); begin += kWidePiece) {
    const size_t count = std::min(kWidePiece, values.size() - begin);
    RoundToFloat16(values.subspan(begin, count), rounded.data());
    is_narrow = NarrowExactly(std::span(rounded).first(count), narrow.data());
    if (is_narrow) narrow_hasher.Add(std::as_bytes(std::span(narrow).first(count)));
  }
  if (is_narrow) return WithBytesPerNumber(std::byte{2}, narrow_hasher.Finish());
  Blake3Hasher hasher;
  for (size_t begin = 0; begin < values.size(); begin += kWidePiece) {
    const size_t count = std::min(kWidePiece, values.size() - begin);
    RoundToFloat16(values.subspan(begin, count), rounded.data());
    hasher.Add(std::as_bytes(std::span(rounded).first(count)));
  }
  return WithBytesPerNumber(std::byte{4}, hasher.Finish());
}

}  // namespace

BlockDigest DigestOfValues(std::span<const BFloat16> values) {
  return WithBytesPerNumber(std::byte{2}, Blake3(std::as_bytes(values)));
}

BlockDigest DigestOfValues(std::span<const float> values) {
  if (const auto digest = HashAsBFloat16(values)) return WithBytesPerNumber(std::byte{2}, *digest);
  return WithBytesPerNumber(std::byte{4}, Blake3(std::as_bytes(values)));
}

std::optional<BlockDigest> DigestAsBFloat16(std::span<const float> values) {
  if (HasFrom(values, kBFloat16Overflow)) return {};
  Blake3Hasher hasher;
  std::array<BFloat16, kPiece> rounded;
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const size_t count = std::min(kPiece, values.size() - begin);
    const auto piece = values.subspan(begin, count);
    std::transform(piece.begin(), piece.end(), rounded.begin(), RoundToBFloat16);
    hasher.Add(std::as_bytes(std::span(rounded).first(count)));
  }
  return WithBytesPerNumber(std::byte{2}, hasher.Finish());
}

std::optional<BlockDigest> DigestAsFloat16(std::span<const float> values) {
  if (HasFrom(values, kFloat16Overflow)) return {};
  return DigestOfFloat16(values);
}

ContentDigest DigestOfBlocks(std::span<const BlockDigest> blocks) {
  const Blake3Digest whole = Blake3(std::as_bytes(blocks));
  ContentDigest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace tensorguard::internal
