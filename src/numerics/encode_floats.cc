#include "numerics/encode_floats.h"

#include <bit>
#include <cassert>
#include <cmath>

namespace tensorguard::internal {
namespace {

constexpr uint32_t kInfinity = 0x7F800000;               // of float32, as all constants below
constexpr uint32_t kSmallestNormalFloat16 = 0x38800000;  // 2^-14
constexpr uint32_t kRoundsToInfinity = 0x477FF000;       // 65520, halfway from 65504 to 65536

// `bits` shifted right by `shift`, rounded to the nearest, ties to even.
uint32_t ShiftRounded(uint32_t bits, unsigned shift) {
  const uint32_t below_half = (1u << (shift - 1)) - 1;
  return (bits + below_half + ((bits >> shift) & 1)) >> shift;
}

// A number below 2^-14, which Float16 holds as a multiple of 2^-24.
uint32_t SubnormalFloat16(uint32_t magnitude) {
  const uint32_t exponent = magnitude >> 23;
  constexpr uint32_t kExponentOfHalfTheSmallest = 102;  // 2^-25
  if (exponent < kExponentOfHalfTheSmallest) return 0;
  const uint32_t significand = (magnitude & 0x7FFFFF) | 0x800000;
  return ShiftRounded(significand, 126 - exponent);
}

void PutLittleEndian(uint32_t bits, std::span<std::byte> out) {
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(bits & 0xFF);
    bits >>= 8;
  }
}

}  // namespace

uint16_t ToFloat16Bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  uint32_t half = 0;
  if (magnitude > kInfinity) {
    half = 0x7E00;
  } else if (magnitude >= kRoundsToInfinity) {
    half = 0x7C00;
  } else if (magnitude < kSmallestNormalFloat16) {
    half = SubnormalFloat16(magnitude);
  } else {
    constexpr uint32_t kBiasDifference = (127 - 15) << 23;
    half = ShiftRounded(magnitude - kBiasDifference, 13);
  }
  return static_cast<uint16_t>(sign | half);
}

uint16_t ToBfloat16Bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > kInfinity) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>(ShiftRounded(bits & 0x7FFFFFFF, 16) | ((bits >> 16) & 0x8000));
}

std::optional<size_t> EncodeFloats(DType dtype, std::span<const float> values,
                                   std::span<std::byte> out) {
  const size_t bytes_each = InfoOf(dtype).bits / 8;
  assert(dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16);
  assert(out.size() == values.size() * bytes_each);
  std::optional<size_t> overflow;
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = std::bit_cast<uint32_t>(values[i]);
    bool infinite = false;
    if (dtype == DType::kF16) {
      bits = ToFloat16Bits(values[i]);
      infinite = (bits & 0x7FFF) == 0x7C00;
    } else if (dtype == DType::kBF16) {
      bits = ToBfloat16Bits(values[i]);
      infinite = (bits & 0x7FFF) == 0x7F80;
    }
    if (infinite && !overflow && std::isfinite(values[i])) overflow = i;
    PutLittleEndian(bits, out.subspan(i * bytes_each, bytes_each));
  }
  return overflow;
}

}  // namespace tensorguard::internal
