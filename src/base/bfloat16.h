// The upper half of a float32: a sign, the same 8 bits of exponent, 7 bits of fraction.
#ifndef TENSORGUARD_BASE_BFLOAT16_H_
#define TENSORGUARD_BASE_BFLOAT16_H_

#include <bit>
#include <cstdint>

namespace tensorguard::internal {

enum class BFloat16 : uint16_t {};

// Exact.
constexpr float ToFloat32(BFloat16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

// For code that takes numbers of either type.
constexpr float ToFloat32(float value) { return value; }

// To nearest, ties to even. Beyond the largest number: infinity. NaN stays NaN, without its
// payload.
constexpr BFloat16 RoundToBFloat16(float value) {
  constexpr uint16_t kNan = 0x7fc0;
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<BFloat16>(value == value ? rounded : kNan);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_BFLOAT16_H_
