// The IQ types: 256 elements, four or eight neighbours at a time an entry of a codebook.
#include <bit>

#include "weights/elements/ggml_blocks.h"
#include "weights/elements/ggml_codebooks.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kElements = 256;

// Seven signs are stored; the eighth makes their number even.
unsigned EightSigns(uint32_t seven) {
  seven &= 0x7F;
  return seven | static_cast<unsigned>(std::popcount(seven) & 1) << 7;
}

// `count` neighbours of one entry: bit i of `signs` set is minus.
template <unsigned kBits, typename Magnitudes>
void DecodeEntry(unsigned entry, unsigned count, unsigned signs, float scale,
                 const Magnitudes& magnitudes, float* out) {
  for (unsigned i = 0; i < count; ++i) {
    const float magnitude = scale * magnitudes[entry >> kBits * i & ((1u << kBits) - 1)];
    out[i] = (signs >> i & 1) != 0 ? -magnitude : magnitude;
  }
}

void DecodeIq2Entry(unsigned entry, unsigned signs, float scale, float* out) {
  DecodeEntry<2>(entry, 8, signs, scale, kIq2Magnitudes, out);
}

// Two entries of four neighbours.
template <typename Codebook, typename Magnitudes>
void DecodeIq3Pair(const Codebook& codebook, unsigned first, unsigned second, unsigned signs,
                   float scale, const Magnitudes& magnitudes, float* out) {
  DecodeEntry<3>(codebook[first], 4, signs, scale, magnitudes, out);
  DecodeEntry<3>(codebook[second], 4, signs >> 4, scale, magnitudes, out + 4);
}

// IQ1: values around 0, shifted by an eighth up or down.
void DecodeIq1Entry(unsigned entry, bool down, float scale, float* out) {
  const float shift = down ? -0.125f : 0.125f;
  for (unsigned i = 0; i < 8; ++i) {
    const int value = static_cast<int>(entry >> 2 * i & 3) - 1;
    out[i] = scale * (static_cast<float>(value) + shift);
  }
}

// IQ2_XS and IQ2_S: a 4-bit scale for 16 elements.
float Iq2Scale(float scale_of_scales, const uint8_t* scales, unsigned eight) {
  const unsigned code = scales[eight / 4] >> 4 * (eight / 2 % 2) & 0xF;
  return scale_of_scales * (0.5f + static_cast<float>(code)) * 0.25f;
}

}  // namespace

void DecodeIq1S(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned eight = 0; eight < kElements / 8; ++eight) {
    const unsigned high = LoadNumber<uint16_t>(block + 34 + 2 * (eight / 4));
    const float scale = scale_of_scales * static_cast<float>(2 * (high >> 12 & 7) + 1);
    const unsigned index = block[2 + eight] | (high >> 3 * (eight % 4) & 7) << 8;
    DecodeIq1Entry(kIq1Codebook[index], (high & 0x8000) != 0, scale, out + 8 * eight);
  }
}

void DecodeIq1M(const uint8_t* block, float* out) {
  const uint8_t* high_bits = block + 32;
  const uint8_t* scales = block + 48;
  // The scale of scales lies in the upper four bits of four words.
  uint32_t half = 0;
  for (unsigned word = 0; word < 4; ++word) {
    half |= static_cast<uint32_t>(LoadNumber<uint16_t>(scales + 2 * word) >> 12) << 4 * word;
  }
  const float scale_of_scales = MinifloatValue(kF16, half);
  for (unsigned eight = 0; eight < kElements / 8; ++eight) {
    const unsigned word = LoadNumber<uint16_t>(scales + 2 * (eight / 8));
    const unsigned code = word >> 3 * (eight / 2 % 4) & 7;
    const float scale = scale_of_scales * static_cast<float>(2 * code + 1);
    const unsigned high = high_bits[eight / 2] >> 4 * (eight % 2) & 0xF;
    const unsigned index = block[eight] | (high & 7) << 8;
    DecodeIq1Entry(kIq1Codebook[index], (high & 8) != 0, scale, out + 8 * eight);
  }
}

void DecodeIq2Xxs(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned group = 0; group < kElements / 32; ++group) {
    const uint8_t* indices = block + 2 + 8 * group;
    const auto signs_and_scale = LoadNumber<uint32_t>(indices + 4);
    const float scale =
        scale_of_scales * (0.5f + static_cast<float>(signs_and_scale >> 28)) * 0.25f;
    for (unsigned i = 0; i < 4; ++i) {
      DecodeIq2Entry(kIq2XxsCodebook[indices[i]], EightSigns(signs_and_scale >> 7 * i), scale,
                     out + 32 * group + 8 * i);
    }
  }
}

void DecodeIq2Xs(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned eight = 0; eight < kElements / 8; ++eight) {
    const unsigned word = LoadNumber<uint16_t>(block + 2 + 2 * eight);
    DecodeIq2Entry(kIq2XsCodebook[word & 0x1FF], EightSigns(word >> 9),
                   Iq2Scale(scale_of_scales, block + 66, eight), out + 8 * eight);
  }
}

void DecodeIq2S(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned eight = 0; eight < kElements / 8; ++eight) {
    const unsigned high = block[66 + eight / 4] >> 2 * (eight % 4) & 3;
    DecodeIq2Entry(kIq2SCodebook[block[2 + eight] | high << 8], block[34 + eight],
                   Iq2Scale(scale_of_scales, block + 74, eight), out + 8 * eight);
  }
}

void DecodeIq3Xxs(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned group = 0; group < kElements / 32; ++group) {
    const auto signs_and_scale = LoadNumber<uint32_t>(block + 66 + 4 * group);
    const float scale = scale_of_scales * (0.5f + static_cast<float>(signs_and_scale >> 28)) * 0.5f;
    for (unsigned i = 0; i < 4; ++i) {
      const uint8_t* pair = block + 2 + 8 * group + 2 * i;
      DecodeIq3Pair(kIq3XxsCodebook, pair[0], pair[1], EightSigns(signs_and_scale >> 7 * i), scale,
                    kIq3XxsMagnitudes, out + 32 * group + 8 * i);
    }
  }
}

void DecodeIq3S(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  for (unsigned eight = 0; eight < kElements / 8; ++eight) {
    const uint8_t* pair = block + 2 + 2 * eight;
    const unsigned high = block[66 + eight / 4] >> 2 * (eight % 4);
    const unsigned code = block[106 + eight / 8] >> 4 * (eight / 4 % 2) & 0xF;
    DecodeIq3Pair(kIq3SCodebook, pair[0] | (high & 1) << 8, pair[1] | (high >> 1 & 1) << 8,
                  block[74 + eight], scale_of_scales * static_cast<float>(1 + 2 * code),
                  kIq3SMagnitudes, out + 8 * eight);
  }
}

void DecodeIq4Xs(const uint8_t* block, float* out) {
  const float scale_of_scales = LoadHalf(block);
  const unsigned high_bits = LoadNumber<uint16_t>(block + 2);
  for (unsigned group = 0; group < kElements / 32; ++group) {
    const unsigned low = block[4 + group / 2] >> 4 * (group % 2) & 0xF;
    const int code = static_cast<int>(low | (high_bits >> 2 * group & 3) << 4) - 32;
    const float scale = scale_of_scales * static_cast<float>(code);
    const uint8_t* codes = block + 8 + 16 * group;
    for (unsigned i = 0; i < 16; ++i) {
      out[32 * group + i] = scale * kIq4Values[codes[i] & 0xF];
      out[32 * group + 16 + i] = scale * kIq4Values[codes[i] >> 4];
    }
  }
}

}  // namespace tensorguard::internal
