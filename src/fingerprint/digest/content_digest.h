// Digests of weights: the same numbers give the same digest, however they are stored.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_CONTENT_DIGEST_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_CONTENT_DIGEST_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bfloat16.h"
#include "fingerprint/digest/blake3.h"

namespace tensorguard::internal {

using BlockDigest = Blake3Digest;
using ContentDigest = std::array<uint8_t, 16>;

// Of a block of numbers: BLAKE3 of one byte, how many bytes a number takes, and BLAKE3 of the
// numbers' little-endian bytes. A number takes 2 bytes, as bfloat16, in a block that has none that
// bfloat16 cannot hold, else 4, as float32. So both of these give one digest for the same numbers.
BlockDigest DigestOfValues(std::span<const float> values);
BlockDigest DigestOfValues(std::span<const BFloat16> values);

// Of the numbers rounded to a narrower type (to nearest, ties to even; float16 with its subnormal
// numbers): the digest that a copy in that type has. Empty if a number becomes infinite.
// REQUIRES: finite numbers.
std::optional<BlockDigest> DigestAsBFloat16(std::span<const float> values);
std::optional<BlockDigest> DigestAsFloat16(std::span<const float> values);

// Of a matrix that was digested block by block: the first 16 bytes of BLAKE3 of its blocks' digests
// one after the other.
ContentDigest DigestOfBlocks(std::span<const BlockDigest> blocks);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_CONTENT_DIGEST_H_
