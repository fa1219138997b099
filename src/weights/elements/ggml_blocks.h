// One block of each of GGUF's block types to float32.
#ifndef TENSORGUARD_WEIGHTS_ELEMENTS_GGML_BLOCKS_H_
#define TENSORGUARD_WEIGHTS_ELEMENTS_GGML_BLOCKS_H_

#include <cstdint>
#include <cstring>

#include "weights/elements/minifloat.h"

namespace tensorguard::internal {

// Decodes InfoOf(type).block_bytes bytes into block_elements numbers. The layouts and the order of
// the roundings are those of the format's own library (ggml), so that the bits are equal.
using DecodeGgmlBlock = void (*)(const uint8_t* block, float* out);

// A scale, then codes of one width.
void DecodeQ1_0(const uint8_t* block, float* out);
void DecodeQ2_0(const uint8_t* block, float* out);
void DecodeQ4_0(const uint8_t* block, float* out);
void DecodeQ4_1(const uint8_t* block, float* out);
void DecodeQ5_0(const uint8_t* block, float* out);
void DecodeQ5_1(const uint8_t* block, float* out);
void DecodeQ8_0(const uint8_t* block, float* out);
void DecodeIq4Nl(const uint8_t* block, float* out);
void DecodeMxfp4(const uint8_t* block, float* out);
void DecodeNvfp4(const uint8_t* block, float* out);
void DecodeTq1_0(const uint8_t* block, float* out);
void DecodeTq2_0(const uint8_t* block, float* out);

// A scale over the scales of groups of 16 or 32.
void DecodeQ2K(const uint8_t* block, float* out);
void DecodeQ3K(const uint8_t* block, float* out);
void DecodeQ4K(const uint8_t* block, float* out);
void DecodeQ5K(const uint8_t* block, float* out);
void DecodeQ6K(const uint8_t* block, float* out);
void DecodeQ8K(const uint8_t* block, float* out);

// Groups of neighbours are entries of a codebook.
void DecodeIq1S(const uint8_t* block, float* out);
void DecodeIq1M(const uint8_t* block, float* out);
void DecodeIq2Xxs(const uint8_t* block, float* out);
void DecodeIq2Xs(const uint8_t* block, float* out);
void DecodeIq2S(const uint8_t* block, float* out);
void DecodeIq3Xxs(const uint8_t* block, float* out);
void DecodeIq3S(const uint8_t* block, float* out);
void DecodeIq4Xs(const uint8_t* block, float* out);

// A little-endian number at any address.
template <typename T>
T LoadNumber(const uint8_t* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

inline float LoadHalf(const uint8_t* bytes) {
  return MinifloatValue(kF16, LoadNumber<uint16_t>(bytes));
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ELEMENTS_GGML_BLOCKS_H_
