// The K types: 256 elements in groups with scales, which have a scale of their own.
#include <array>

#include "weights/elements/ggml_blocks.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kElements = 256;

// 2-bit codes: four elements that are 32 apart share a byte, 128 elements 32 bytes.
unsigned TwoBits(const uint8_t* codes, unsigned element) {
  return codes[element / 128 * 32 + element % 32] >> 2 * (element / 32 % 4) & 3;
}

// 4-bit codes: two elements that are 32 apart share a byte, 64 elements 32 bytes.
unsigned FourBits(const uint8_t* codes, unsigned element) {
  return codes[element / 64 * 32 + element % 32] >> 4 * (element / 32 % 2) & 0xF;
}

// Single bits: eight elements that are 32 apart share a byte.
unsigned OneBit(const uint8_t* bits, unsigned element) {
  return bits[element % 32] >> element / 32 & 1;
}

struct ScaleAndLeast {
  float scale;
  float least;
};

// Q4_K and Q5_K: two 6-bit numbers for each of 8 groups in 12 bytes. The first four groups' lie
// whole in the low bits; the others' lower halves lie in the last four bytes, their upper bits
// above the first ones.
ScaleAndLeast SixBits(const uint8_t* packed, unsigned group) {
  const unsigned j = group % 4;
  if (group < 4) {
    return {static_cast<float>(packed[j] & 0x3F), static_cast<float>(packed[4 + j] & 0x3F)};
  }
  return {static_cast<float>((packed[8 + j] & 0xF) | (packed[j] >> 6) << 4),
          static_cast<float>(packed[8 + j] >> 4 | (packed[4 + j] >> 6) << 4)};
}

// Q3_K: 16 numbers of 6 bits in 12 bytes, the lower four in the first 8, the upper two in the rest.
int ThreeKScale(const uint8_t* packed, unsigned group) {
  const unsigned low = packed[group % 8] >> 4 * (group / 8) & 0xF;
  const unsigned high = packed[8 + group % 4] >> 2 * (group / 4) & 3;
  return static_cast<int>(low | high << 4) - 32;
}

}  // namespace

void DecodeQ2K(const uint8_t* block, float* out) {
  const uint8_t* codes = block + 16;
  const float scale_of_scales = LoadHalf(block + 80);
  const float scale_of_leasts = LoadHalf(block + 82);
  for (unsigned i = 0; i < kElements; ++i) {
    const uint8_t group = block[i / 16];
    const float scale = scale_of_scales * static_cast<float>(group & 0xF);
    const float least = scale_of_leasts * static_cast<float>(group >> 4);
    out[i] = scale * static_cast<float>(TwoBits(codes, i)) - least;
  }
}

void DecodeQ3K(const uint8_t* block, float* out) {
  const uint8_t* high_bits = block;
  const uint8_t* codes = block + 32;
  const uint8_t* scales = block + 96;
  const float scale_of_scales = LoadHalf(block + 108);
  for (unsigned i = 0; i < kElements; ++i) {
    const float scale = scale_of_scales * static_cast<float>(ThreeKScale(scales, i / 16));
    // The high bit says that the code is not below zero.
    const int code = static_cast<int>(TwoBits(codes, i) + 4 * OneBit(high_bits, i)) - 4;
    out[i] = scale * static_cast<float>(code);
  }
}

void DecodeQ4K(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  const float scale_of_leasts = LoadHalf(block + 2);
  for (unsigned i = 0; i < kElements; ++i) {
    const ScaleAndLeast group = SixBits(block + 4, i / 32);
    const float scale = scale_of_scales * group.scale;
    out[i] = scale * static_cast<float>(FourBits(block + 16, i)) - scale_of_leasts * group.least;
  }
}

void DecodeQ5K(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  const float scale_of_leasts = LoadHalf(block + 2);
  for (unsigned i = 0; i < kElements; ++i) {
    const ScaleAndLeast group = SixBits(block + 4, i / 32);
    const float scale = scale_of_scales * group.scale;
    const unsigned code = FourBits(block + 48, i) | OneBit(block + 16, i) << 4;
    out[i] = scale * static_cast<float>(code) - scale_of_leasts * group.least;
  }
}

void DecodeQ6K(const uint8_t* block, float* out) {
  const uint8_t* low = block;         // 4 bits: two elements that are 64 apart share a byte
  const uint8_t* high = block + 128;  // 2 bits
  const float scale_of_scales = LoadHalf(block + 208);
  for (unsigned i = 0; i < kElements; ++i) {
    const auto group = static_cast<int8_t>(block[192 + i / 16]);
    const float scale = scale_of_scales * static_cast<float>(group);
    const unsigned low_bits = low[i / 128 * 64 + i % 64] >> 4 * (i / 64 % 2) & 0xF;
    const int code = static_cast<int>(low_bits | TwoBits(high, i) << 4) - 32;
    out[i] = scale * static_cast<float>(code);
  }
}

// The sums of groups that follow serve products of matrices, not this.
void DecodeQ8K(const uint8_t* block, float* out) {
  const auto scale = LoadNumber<float>(block);
  for (unsigned i = 0; i < kElements; ++i) {
    out[i] = scale * static_cast<float>(static_cast<int8_t>(block[4 + i]));
  }
}

}  // namespace tensorguard::internal
