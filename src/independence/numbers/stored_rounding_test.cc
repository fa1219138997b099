#include "independence/numbers/stored_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "base/bfloat16.h"
#include "base/random_bits.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"

namespace tensorguard::internal {
namespace {

constexpr auto kF32 = StoredType::kFloat32;
constexpr auto kBF16 = StoredType::kBFloat16;
constexpr auto kF16 = StoredType::kFloat16;

float AsBFloat16(float value) { return ToFloat32(RoundToBFloat16(value)); }

float AsFloat16(float value) {
  const uint16_t bits = ToFloat16Bits(value);
  float wide = 0.0f;
  DecodeHalfFloats(std::as_bytes(std::span(&bits, 1)), std::span(&wide, 1));
  return wide;
}

// Of very different sizes, some below the normal numbers of float16.
float Number(uint64_t i) {
  const double fraction = static_cast<double>(RandomBits(1, i) >> 11) * 0x1p-53;
  const int exponent = static_cast<int>(RandomBits(2, i) % 36) - 26;
  return static_cast<float>(std::ldexp(1.0 + fraction, exponent) * (i % 2 == 0 ? 1.0 : -1.0));
}

float OffBy(float value, float places, int digits) {
  return value + places * std::ldexp(1.0f, std::ilogb(value) - digits + 1);
}

TEST(RelateNumbers, ANumberAndItsRoundingAreOne) {
  for (uint64_t i = 0; i < 5000; ++i) {
    const float wide = Number(i);
    for (const auto& [narrow, type] :
         {std::pair(AsBFloat16(wide), kBF16), std::pair(AsFloat16(wide), kF16)}) {
      const auto expected = narrow == wide ? NumberRelation::kSame : NumberRelation::kRounded;
      EXPECT_EQ(RelateNumbers(wide, kF32, narrow, type), expected) << wide;
      EXPECT_EQ(RelateNumbers(narrow, type, wide, kF32), expected) << wide;
    }
  }
}

TEST(RelateNumbers, TwoRoundingsOfOneNumberAreOne) {
  for (uint64_t i = 0; i < 5000; ++i) {
    const float wide = Number(i);
    EXPECT_NE(RelateNumbers(AsBFloat16(wide), kBF16, AsFloat16(wide), kF16),
              NumberRelation::kDifferent)
        << wide;
  }
}

TEST(RelateNumbers, TwoPlacesOfTheNarrowerTypeAreNoRounding) {
  for (uint64_t i = 0; i < 5000; ++i) {
    const float wide = Number(i);
    const float sign = i % 3 == 0 ? -2.0f : 2.0f;
    const float far = OffBy(AsBFloat16(wide), sign, 8);
    EXPECT_EQ(RelateNumbers(wide, kF32, far, kBF16), NumberRelation::kDifferent) << wide;
    // Below its normal numbers float16 has fewer digits than bfloat16.
    if (std::abs(wide) < 0x1p-13f) continue;
    EXPECT_EQ(RelateNumbers(far, kBF16, AsFloat16(wide), kF16), NumberRelation::kDifferent) << wide;
    EXPECT_EQ(RelateNumbers(wide, kF32, OffBy(AsFloat16(wide), sign, 11), kF16),
              NumberRelation::kDifferent)
        << wide;
  }
}

TEST(RelateNumbers, InOneTypeRoundingExplainsNothing) {
  const float next = OffBy(1.0f, 1.0f, 8);
  for (const StoredType type : {kF32, kBF16, kF16, StoredType::kCodes}) {
    EXPECT_EQ(RelateNumbers(1.0f, type, next, type), NumberRelation::kDifferent);
    EXPECT_EQ(RelateNumbers(1.0f, type, 1.0f, type), NumberRelation::kSame);
  }
}

TEST(RelateNumbers, ANumberThatItsTypeCannotHoldIsNoRoundingOfIt) {
  // 1 + 2^-9 is rounded to 1 in bfloat16: a tensor that says so and holds it was changed since.
  const float between = 1.0f + 0x1p-9f;
  EXPECT_EQ(RelateNumbers(between, kBF16, 1.0f, kBF16), NumberRelation::kRounded);
  EXPECT_EQ(RelateNumbers(between, kBF16, OffBy(1.0f, 1.0f, 8), kBF16), NumberRelation::kDifferent);
}

TEST(RelateNumbers, AtAPowerOfTwoTheLowerNeighbourIsNearer) {
  EXPECT_EQ(RelateNumbers(1.0f - 0x1p-9f, kF32, 1.0f, kBF16), NumberRelation::kRounded) << "a tie";
  EXPECT_EQ(RelateNumbers(1.0f - 0x1.1p-9f, kF32, 1.0f, kBF16), NumberRelation::kDifferent);
  EXPECT_EQ(RelateNumbers(-1.0f - 0x1p-8f, kF32, -1.0f, kBF16), NumberRelation::kRounded);
}

TEST(RelateNumbers, ZeroIsWhatIsTooSmall) {
  EXPECT_EQ(RelateNumbers(0x1p-26f, kBF16, 0.0f, kF16), NumberRelation::kRounded);
  EXPECT_EQ(RelateNumbers(0x1p-23f, kBF16, 0.0f, kF16), NumberRelation::kDifferent);
  EXPECT_EQ(RelateNumbers(0.0f, kBF16, -0.0f, kF16), NumberRelation::kSame);
}

TensorInfo Tensor(DType dtype, std::string quantisation = {}) {
  TensorInfo tensor;
  tensor.dtype = dtype;
  tensor.quantisation = std::move(quantisation);
  return tensor;
}

TEST(StoredTypeOf, CodesAreNoType) {
  EXPECT_EQ(StoredTypeOf(Tensor(DType::kBF16)), kBF16);
  EXPECT_EQ(StoredTypeOf(Tensor(DType::kF64)), kF32);
  EXPECT_EQ(StoredTypeOf(Tensor(DType::kQ8_0)), StoredType::kCodes);
  EXPECT_EQ(StoredTypeOf(Tensor(DType::kF16, "GPTQ 4 bit")), StoredType::kCodes);
}

}  // namespace
}  // namespace tensorguard::internal
