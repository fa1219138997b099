// Floating-point types of up to 16 bits, each as its definition: field widths, bias, special codes.
#ifndef TENSORGUARD_WEIGHTS_ELEMENTS_MINIFLOAT_H_
#define TENSORGUARD_WEIGHTS_ELEMENTS_MINIFLOAT_H_

#include <cstdint>
#include <limits>

namespace tensorguard::internal {

enum class SpecialCodes {
  kNone,          // every code is a finite number (OCP FP4 and FP6)
  kInfinityNan,   // as IEEE 754: the highest exponent is infinity and NaN
  kNanAllOnes,    // "fn": only exponent and fraction all ones is NaN, no infinity
  kNanMinusZero,  // "fnuz": only the code of minus zero is NaN, no infinity
};

// Sign bit, then exponent, then fraction. Exponent 0 marks subnormal numbers.
struct MinifloatFormat {
  unsigned exponent_bits;
  unsigned fraction_bits;
  int bias;
  SpecialCodes special;
};

// OCP Microscaling Formats 1.0, sections 5.3.1 to 5.3.3; OCP 8-bit Floating Point 1.0; the FNUZ
// types as AMD and Graphcore define them: one more of bias, and minus zero is the NaN.
inline constexpr MinifloatFormat kF4E2M1 = {2, 1, 1, SpecialCodes::kNone};
inline constexpr MinifloatFormat kF6E2M3 = {2, 3, 1, SpecialCodes::kNone};
inline constexpr MinifloatFormat kF6E3M2 = {3, 2, 3, SpecialCodes::kNone};
inline constexpr MinifloatFormat kF8E4M3 = {4, 3, 7, SpecialCodes::kNanAllOnes};
inline constexpr MinifloatFormat kF8E5M2 = {5, 2, 15, SpecialCodes::kInfinityNan};
inline constexpr MinifloatFormat kF8E4M3Fnuz = {4, 3, 8, SpecialCodes::kNanMinusZero};
inline constexpr MinifloatFormat kF8E5M2Fnuz = {5, 2, 16, SpecialCodes::kNanMinusZero};
inline constexpr MinifloatFormat kF16 = {5, 10, 15, SpecialCodes::kInfinityNan};
inline constexpr MinifloatFormat kBF16 = {8, 7, 127, SpecialCodes::kInfinityNan};

constexpr double PowerOfTwo(int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) power *= 2;
  for (; exponent < 0; ++exponent) power /= 2;
  return power;
}

// The value of `code`; exact, because float32 holds every number of these types.
constexpr float MinifloatValue(const MinifloatFormat& format, uint32_t code) {
  const uint32_t fraction_range = 1u << format.fraction_bits;
  const uint32_t exponent_range = 1u << format.exponent_bits;
  const uint32_t fraction = code % fraction_range;
  const uint32_t exponent = code / fraction_range % exponent_range;
  const bool negative = code / fraction_range / exponent_range % 2 == 1;

  const bool highest = exponent == exponent_range - 1;
  const bool nan =
      (format.special == SpecialCodes::kInfinityNan && highest && fraction != 0) ||
      (format.special == SpecialCodes::kNanAllOnes && highest && fraction == fraction_range - 1) ||
      (format.special == SpecialCodes::kNanMinusZero && negative && exponent + fraction == 0);
  if (nan) return std::numeric_limits<float>::quiet_NaN();

  const double sign = negative ? -1 : 1;
  if (format.special == SpecialCodes::kInfinityNan && highest) {
    return static_cast<float>(sign) * std::numeric_limits<float>::infinity();
  }
  const uint32_t significand = exponent == 0 ? fraction : fraction + fraction_range;
  const int scale = static_cast<int>(exponent == 0 ? 1 : exponent) - format.bias -
                    static_cast<int>(format.fraction_bits);
  return static_cast<float>(sign * significand * PowerOfTwo(scale));
}

// OCP E8M0, the scale of a block: an exponent alone, without sign; 0xFF is NaN.
constexpr float E8M0Value(uint32_t code) {
  if (code == 0xFF) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(PowerOfTwo(static_cast<int>(code) - 127));
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ELEMENTS_MINIFLOAT_H_
