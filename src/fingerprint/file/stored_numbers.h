// The narrow number formats of a fingerprint file. Numbers that have been stored once come out
// of a second storing unchanged.
#ifndef TENSORGUARD_FINGERPRINT_FILE_STORED_NUMBERS_H_
#define TENSORGUARD_FINGERPRINT_FILE_STORED_NUMBERS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace tensorguard::internal {

// Eight bits with a scale of their own for each row: value = byte * scale, exactly. The largest
// number of a row has the byte 127 or -127; a row of zeros (or of numbers below 2^-100 only) has
// scale 0. The scale has 17 significant bits, so that products with 7-bit bytes are float32
// numbers.
struct ByteRow {
  float scale = 0;
  std::vector<int8_t> bytes = {};
};

// REQUIRES: all |values| <= kLargestStored.
ByteRow ToByteRow(std::span<const float> values);
void FromByteRow(float scale, std::span<const int8_t> bytes, std::span<float> values);

// Eight bits with a step that the format fixes: value = byte * step, nearest, ties to even; what
// lies beyond 127 steps is the last of them. REQUIRES: a power of two; finite values.
int8_t ToStep(float step, float value);
float FromStep(float step, int8_t byte);

// IEEE 754 half precision with a common scale, a power of two: value = half * scale, exactly. The
// largest magnitude lies in [2^14, 2^15] halves; all zero has scale 0.
struct HalfBlock {
  float scale = 0;
  std::vector<uint16_t> halves = {};
};

// REQUIRES: all |values| <= kLargestStored.
HalfBlock ToHalfBlock(std::span<const float> values);
void FromHalfBlock(float scale, std::span<const uint16_t> halves, std::span<float> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_STORED_NUMBERS_H_
