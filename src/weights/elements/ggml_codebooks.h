// The codebooks of GGUF's IQ types: constants of the format, which its writers found by search.
#ifndef TENSORGUARD_WEIGHTS_ELEMENTS_GGML_CODEBOOKS_H_
#define TENSORGUARD_WEIGHTS_ELEMENTS_GGML_CODEBOOKS_H_

#include <array>
#include <cstdint>

namespace tensorguard::internal {

// An entry holds the codes of eight neighbours, 2 bits each, the first in the lowest bits. IQ1: the
// value is the code minus 1. IQ2: the code's place in kIq2Magnitudes.
extern const std::array<uint16_t, 2048> kIq1Codebook;
extern const std::array<uint16_t, 256> kIq2XxsCodebook;
extern const std::array<uint16_t, 512> kIq2XsCodebook;
extern const std::array<uint16_t, 1024> kIq2SCodebook;

// An entry holds the codes of four neighbours, 3 bits each, the first in the lowest bits.
extern const std::array<uint16_t, 256> kIq3XxsCodebook;
extern const std::array<uint16_t, 512> kIq3SCodebook;

inline constexpr std::array<float, 4> kIq2Magnitudes = {8, 25, 43, 0};  // the last is never used
inline constexpr std::array<float, 8> kIq3XxsMagnitudes = {4, 12, 20, 28, 36, 44, 52, 62};
inline constexpr std::array<float, 8> kIq3SMagnitudes = {1, 3, 5, 7, 9, 11, 13, 15};

// IQ4: 16 values that lie denser around 0.
inline constexpr std::array<float, 16> kIq4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                     1,    13,   25,  38,  53,  69,  89,  113};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ELEMENTS_GGML_CODEBOOKS_H_
