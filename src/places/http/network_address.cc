#include "places/http/network_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace tensorguard::internal {
namespace {

struct Block4 {
  std::array<uint8_t, 4> begin;
  unsigned bits;
};

constexpr std::array kPrivate4 = std::to_array<Block4>({
    {{0, 0, 0, 0}, 8},        // this network
    {{10, 0, 0, 0}, 8},       // private
    {{100, 64, 0, 0}, 10},    // shared by customers of a provider
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local: also where clouds keep their credentials
    {{172, 16, 0, 0}, 12},    // private
    {{192, 0, 0, 0}, 24},     // of protocols
    {{192, 0, 2, 0}, 24},     // for documents
    {{192, 168, 0, 0}, 16},   // private
    {{198, 18, 0, 0}, 15},    // for measurements
    {{198, 51, 100, 0}, 24},  // for documents
    {{203, 0, 113, 0}, 24},   // for documents
    {{224, 0, 0, 0}, 3},      // multicast and reserved
});

uint32_t Number(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

bool IsPrivate4(const uint8_t* bytes) {
  return std::any_of(kPrivate4.begin(), kPrivate4.end(), [&](const Block4& block) {
    return (Number(bytes) ^ Number(block.begin.data())) >> (32 - block.bits) == 0;
  });
}

bool StartsWith(const std::array<uint8_t, 16>& bytes, std::initializer_list<uint8_t> start) {
  return std::equal(start.begin(), start.end(), bytes.begin());
}

bool IsPrivate6(const std::array<uint8_t, 16>& bytes) {
  // Addresses of IPv4 in another form: mapped, translated, and of two ways of tunnelling.
  if (StartsWith(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}) ||
      StartsWith(bytes, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return IsPrivate4(bytes.data() + 12);
  }
  if (StartsWith(bytes, {0x20, 0x02})) return IsPrivate4(bytes.data() + 2);
  // Of the rest, only 2000::/3 is handed out; 2001::/23 is of protocols, 2001:db8::/32 for
  // documents.
  if ((bytes[0] & 0xE0) != 0x20) return true;
  if (StartsWith(bytes, {0x20, 0x01, 0x0D, 0xB8})) return true;
  return StartsWith(bytes, {0x20, 0x01}) && (bytes[2] & 0xFE) == 0;
}

}  // namespace

bool IsPrivateAddress(const std::string& address) {
  std::array<uint8_t, 16> bytes = {};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return IsPrivate4(bytes.data());
  const std::string without_zone = address.substr(0, address.find('%'));
  if (inet_pton(AF_INET6, without_zone.c_str(), bytes.data()) == 1) return IsPrivate6(bytes);
  return true;
}

}  // namespace tensorguard::internal
