// Digests as people and other programs write them.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tensorguard::internal {

// Two hexadecimal digits for each byte, in lower case.
std::string HexOf(std::span<const uint8_t> bytes);

// Of the 64 digits of a digest of 32 bytes, BLAKE3 or SHA-256; empty for any other text.
std::optional<std::array<uint8_t, 32>> DigestFromHex(std::string_view hex);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_
