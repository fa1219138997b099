// Digests of weights: the same numbers give the same digest, however they are stored.
#ifndef TENSORGUARD_FULL_PROFILE_CONTENT_DIGEST_H_
#define TENSORGUARD_FULL_PROFILE_CONTENT_DIGEST_H_

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace tensorguard {

using Sha256 = std::array<uint8_t, 32>;
using ContentDigest = std::array<uint8_t, 16>;

// Of the numbers' float32 bytes, little-endian. Errors: kSystem if the system's library refuses.
Result<Sha256> DigestOfValues(std::span<const float> values);

// Of a matrix that was digested block by block: the first 16 bytes of the SHA-256 of its blocks'
// digests one after the other.
Result<ContentDigest> DigestOfBlocks(std::span<const Sha256> blocks);

}  // namespace tensorguard

#endif  // TENSORGUARD_FULL_PROFILE_CONTENT_DIGEST_H_
