#include "independence/numbers/stored_rounding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/bfloat16.h"
#include "numerics/encode_floats.h"

namespace tensorguard::internal {
namespace {

// Binary digits of a number, and the exponent below which they grow fewer.
struct Format {
  int digits = 0;
  int least_exponent = 0;
};

Format FormatOf(StoredType type) {
  switch (type) {
    case StoredType::kBFloat16:
      return {.digits = 8, .least_exponent = -126};
    case StoredType::kFloat16:
      return {.digits = 11, .least_exponent = -14};
    case StoredType::kFloat32:
    case StoredType::kCodes:
      break;
  }
  return {.digits = 24, .least_exponent = -126};
}

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

// All that is rounded to `value`.
Interval RoundedTo(float value, StoredType type) {
  const auto exact = static_cast<double>(value);
  if (type == StoredType::kCodes) return {.low = exact, .high = exact};
  const Format format = FormatOf(type);
  const double size = std::abs(exact);
  const int exponent =
      size > 0.0 ? std::max(std::ilogb(size), format.least_exponent) : format.least_exponent;
  const double outward = std::ldexp(0.5, exponent - format.digits + 1);
  // Below a power of two numbers lie twice as close.
  const bool is_power = size == std::ldexp(1.0, exponent) && exponent > format.least_exponent;
  const double inward = is_power ? outward / 2.0 : outward;
  return exact < 0.0 ? Interval{.low = exact - outward, .high = exact + inward}
                     : Interval{.low = exact - inward, .high = exact + outward};
}

bool Holds(StoredType type, float value) {
  if (type == StoredType::kBFloat16) return ToFloat32(RoundToBFloat16(value)) == value;
  if (type != StoredType::kFloat16) return true;
  // A multiple of the place of its last digit, not beyond the largest number.
  const Format format = FormatOf(type);
  const double size = std::abs(static_cast<double>(value));
  if (size == 0.0) return true;
  if (size > 65504.0) return false;
  const int exponent = std::max(std::ilogb(size), format.least_exponent);
  const double digits = std::ldexp(size, format.digits - 1 - exponent);
  return digits == std::floor(digits);
}

// Of the common cases, by bits alone: `wide` stored in the narrow type.
bool RoundsTo(float wide, float narrow, StoredType type) {
  if (type == StoredType::kBFloat16) return ToFloat32(RoundToBFloat16(wide)) == narrow;
  return type == StoredType::kFloat16 && ToFloat16Bits(wide) == ToFloat16Bits(narrow) &&
         Holds(type, narrow);
}

}  // namespace

StoredType StoredTypeOf(const TensorInfo& tensor) {
  if (!tensor.quantisation.empty()) return StoredType::kCodes;
  switch (tensor.dtype) {
    case DType::kF64:
    case DType::kF32:
      return StoredType::kFloat32;
    case DType::kBF16:
      return StoredType::kBFloat16;
    case DType::kF16:
      return StoredType::kFloat16;
    default:
      return StoredType::kCodes;
  }
}

NumberRelation RelateNumbers(float a, StoredType type_a, float b, StoredType type_b) {
  if (a == b) return NumberRelation::kSame;
  if (!Holds(type_a, a)) type_a = StoredType::kFloat32;
  if (!Holds(type_b, b)) type_b = StoredType::kFloat32;
  if (type_a == type_b) return NumberRelation::kDifferent;
  if (type_a == StoredType::kFloat32 && RoundsTo(a, b, type_b)) return NumberRelation::kRounded;
  if (type_b == StoredType::kFloat32 && RoundsTo(b, a, type_a)) return NumberRelation::kRounded;
  const Interval of_a = RoundedTo(a, type_a);
  const Interval of_b = RoundedTo(b, type_b);
  return of_a.low <= of_b.high && of_b.low <= of_a.high ? NumberRelation::kRounded
                                                        : NumberRelation::kDifferent;
}

}  // namespace tensorguard::internal
