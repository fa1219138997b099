#include "fingerprint/digest/hex_text.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace tensorguard::internal {

std::string HexOf(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::optional<std::array<uint8_t, 32>> DigestFromHex(std::string_view hex) {
  std::array<uint8_t, 32> digest;
  if (hex.size() != 2 * digest.size()) return {};
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* const begin = hex.data() + 2 * i;
    const auto [end, failure] = std::from_chars(begin, begin + 2, digest[i], 16);
    if (failure != std::errc() || end != begin + 2) return {};
  }
  return digest;
}

}  // namespace tensorguard::internal
