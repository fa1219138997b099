// Digests as people and other programs write them.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_

#include <cstdint>
#include <span>
#include <string>

namespace tensorguard::internal {

// Two hexadecimal digits for each byte, in lower case.
std::string HexOf(std::span<const uint8_t> bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_HEX_TEXT_H_
