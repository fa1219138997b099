// Types with a scale for each block or sixteenth, and codes of one width.
#include <array>
#include <cmath>

#include "weights/elements/ggml_blocks.h"
#include "weights/elements/ggml_codebooks.h"

namespace tensorguard::internal {
namespace {

// The low halves of `bytes` bytes are the first elements, the high halves the rest.
template <typename Value>
void DecodeNibbles(const uint8_t* codes, unsigned bytes, float* out, Value value) {
  for (unsigned i = 0; i < bytes; ++i) {
    out[i] = value(codes[i] & 0xF, i);
    out[i + bytes] = value(codes[i] >> 4, i + bytes);
  }
}

// The fifth bits of 32 elements lie apart.
unsigned WithFifthBit(unsigned code, uint32_t fifth_bits, unsigned element) {
  return code | (fifth_bits >> element & 1) << 4;
}

// Twice the values of OCP FP4 E2M1; the scales are halved.
constexpr std::array<float, 16> kTwiceFp4 = {0, 1,  2,  3,  4,  6,  8,  12,
                                             0, -1, -2, -3, -4, -6, -8, -12};

// Five digits to base 3 are the fraction code / 256: multiplying by 3 brings the next one above the
// point.
float Ternary(uint8_t code, unsigned digit) {
  constexpr std::array<unsigned, 5> kPowers = {1, 3, 9, 27, 81};
  const auto shifted = static_cast<uint8_t>(code * kPowers[digit]);
  return static_cast<float>(shifted * 3 >> 8) - 1;
}

}  // namespace

void DecodeQ1_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  for (unsigned i = 0; i < 128; ++i) {
    out[i] = (block[2 + i / 8] >> i % 8 & 1) != 0 ? scale : -scale;
  }
}

void DecodeQ2_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  for (unsigned i = 0; i < 64; ++i) {
    const int code = block[2 + i / 4] >> 2 * (i % 4) & 3;
    out[i] = static_cast<float>(code - 1) * scale;
  }
}

void DecodeQ4_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  DecodeNibbles(block + 2, 16, out, [&](unsigned code, unsigned) {
    return static_cast<float>(static_cast<int>(code) - 8) * scale;
  });
}

void DecodeQ4_1(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  const float least = LoadHalf(block + 2);
  DecodeNibbles(block + 4, 16, out,
                [&](unsigned code, unsigned) { return static_cast<float>(code) * scale + least; });
}

void DecodeQ5_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  const auto fifth_bits = LoadNumber<uint32_t>(block + 2);
  DecodeNibbles(block + 6, 16, out, [&](unsigned code, unsigned i) {
    return static_cast<float>(static_cast<int>(WithFifthBit(code, fifth_bits, i)) - 16) * scale;
  });
}

void DecodeQ5_1(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  const float least = LoadHalf(block + 2);
  const auto fifth_bits = LoadNumber<uint32_t>(block + 4);
  DecodeNibbles(block + 8, 16, out, [&](unsigned code, unsigned i) {
    return static_cast<float>(WithFifthBit(code, fifth_bits, i)) * scale + least;
  });
}

void DecodeQ8_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  for (unsigned i = 0; i < 32; ++i) {
    out[i] = static_cast<float>(static_cast<int8_t>(block[2 + i])) * scale;
  }
}

void DecodeIq4Nl(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block);
  DecodeNibbles(block + 2, 16, out,
                [&](unsigned code, unsigned) { return scale * kIq4Values[code]; });
}

// OCP Microscaling: a power of two for 32 elements. Code 255, which OCP calls NaN, is 2^127 here,
// as it is to the format's library.
void DecodeMxfp4(const uint8_t* block, float* out) {
  const float half_scale = std::ldexp(1.0f, block[0] - 128);
  DecodeNibbles(block + 1, 16, out,
                [&](unsigned code, unsigned) { return kTwiceFp4[code] * half_scale; });
}

// Four scales, each FP8 E4M3 without its sign, for 16 elements each.
void DecodeNvfp4(const uint8_t* block, float* out) {
  for (unsigned group = 0; group < 4; ++group) {
    const unsigned code = block[group];
    const float half_scale = code == 0x7F ? 0.0f : MinifloatValue(kF8E4M3, code & 0x7F) * 0.5f;
    DecodeNibbles(block + 4 + 8 * group, 8, out + 16 * group,
                  [&](unsigned digit, unsigned) { return kTwiceFp4[digit] * half_scale; });
  }
}

void DecodeTq1_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block + 52);
  // 32 bytes and 16 bytes of five digits each, 4 bytes of four.
  struct Part {
    unsigned bytes, digits;
  };
  for (const Part part : {Part{32, 5}, Part{16, 5}, Part{4, 4}}) {
    for (unsigned digit = 0; digit < part.digits; ++digit) {
      for (unsigned i = 0; i < part.bytes; ++i) *out++ = Ternary(block[i], digit) * scale;
    }
    block += part.bytes;
  }
}

void DecodeTq2_0(const uint8_t* block, float* out) {
  const float scale = LoadHalf(block + 64);
  for (unsigned i = 0; i < 256; ++i) {
    const int code = block[i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
    out[i] = static_cast<float>(code - 1) * scale;
  }
}

}  // namespace tensorguard::internal
