#include "fingerprint/digest/hex_text.h"

#include <fmt/format.h>

namespace tensorguard::internal {

std::string HexOf(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace tensorguard::internal
