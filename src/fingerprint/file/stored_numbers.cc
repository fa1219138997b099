#include "fingerprint/file/stored_numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"

namespace tensorguard::internal {
namespace {

// Smaller numbers lose bits of their own; no response or sketch that means anything is so small.
constexpr float kSmallestStored = 0x1p-100f;

float LargestMagnitude(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// The next number up whose low 7 bits of 24 are zero. REQUIRES: positive, not subnormal.
float WithSeventeenBits(float value) {
  constexpr uint32_t kLowBits = 0x7f;
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + kLowBits) & ~kLowBits);
}

}  // namespace

ByteRow ToByteRow(std::span<const float> values) {
  ByteRow row = {.scale = 0, .bytes = std::vector<int8_t>(values.size())};
  const float largest = LargestMagnitude(values);
  if (largest < kSmallestStored) return row;
  row.scale = WithSeventeenBits(largest / 127);
  for (size_t i = 0; i < values.size(); ++i) {
    row.bytes[i] = static_cast<int8_t>(std::lrintf(values[i] / row.scale));
  }
  return row;
}

void FromByteRow(float scale, std::span<const int8_t> bytes, std::span<float> values) {
  for (size_t i = 0; i < bytes.size(); ++i) values[i] = static_cast<float>(bytes[i]) * scale;
}

HalfBlock ToHalfBlock(std::span<const float> values) {
  HalfBlock block = {.scale = 0, .halves = std::vector<uint16_t>(values.size())};
  const float largest = LargestMagnitude(values);
  if (largest < kSmallestStored) return block;
  // largest / scale in [2^14, 2^15). Rounding to half may reach 2^15, whose scale would then be
  // twice as large: a number that does is taken for what it becomes.
  int exponent = std::ilogb(largest);
  const float unit = std::ldexp(largest, -exponent);  // in [1, 2)
  constexpr float kRoundsToTwo = 2 - 0x1p-11f;
  if (unit >= kRoundsToTwo) ++exponent;
  block.scale = std::ldexp(1.0f, exponent - 14);
  for (size_t i = 0; i < values.size(); ++i) {
    block.halves[i] = ToFloat16Bits(values[i] / block.scale);
  }
  return block;
}

void FromHalfBlock(float scale, std::span<const uint16_t> halves, std::span<float> values) {
  DecodeHalfFloats(std::as_bytes(halves), values);
  for (float& value : values) value *= scale;
}

int8_t ToStep(float step, float value) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(value / step), -127.0f, 127.0f));
}

float FromStep(float step, int8_t byte) { return static_cast<float>(byte) * step; }

}  // namespace tensorguard::internal
