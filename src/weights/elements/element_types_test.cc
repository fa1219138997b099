// Every code of the types of up to 16 bits, random values of the wider ones. Expected values are
// written down from the formats' definitions or computed with std::ldexp, never by the decoders.
#include "weights/elements/element_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace tensorguard::internal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

// Equal as numbers with the sign of zero, or both NaN.
bool Same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

using Decode = void (*)(DType, std::span<const std::byte>, std::span<float>);

template <typename Stored>
std::vector<float> DecodeAll(Decode decode, DType dtype, const std::vector<Stored>& stored) {
  std::vector<float> out(stored.size(), -12345.0f);
  decode(dtype, std::as_bytes(std::span(stored)), out);
  return out;
}

// Both decoders must give `expected[i]` for `stored[i]`.
template <typename Stored>
void ExpectDecodes(DType dtype, const std::vector<Stored>& stored,
                   const std::vector<float>& expected) {
  ASSERT_EQ(stored.size(), expected.size());
  const std::vector<float> fast = DecodeAll(&DecodeToFloat32, dtype, stored);
  const std::vector<float> reference = DecodeAll(&DecodeToFloat32Reference, dtype, stored);
  for (size_t i = 0; i < stored.size(); ++i) {
    ASSERT_TRUE(Same(fast[i], expected[i]))
        << InfoOf(dtype).name << " element " << i << ": " << fast[i] << ", not " << expected[i];
    ASSERT_TRUE(Same(reference[i], expected[i]))
        << InfoOf(dtype).name << " reference, element " << i << ": " << reference[i] << ", not "
        << expected[i];
  }
}

template <typename Stored>
std::vector<Stored> AllCodes() {
  std::vector<Stored> codes(size_t{1} << (8 * sizeof(Stored)));
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<Stored>(i);
  return codes;
}

// Packs codes of `bits` bits, the first one in the lowest bits.
std::vector<uint8_t> Pack(const std::vector<unsigned>& codes, unsigned bits) {
  std::vector<uint8_t> bytes((codes.size() * bits + 7) / 8);
  for (size_t i = 0; i < codes.size() * bits; ++i) {
    if (codes[i / bits] >> (i % bits) & 1) bytes[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
  }
  return bytes;
}

void ExpectDecodesPacked(DType dtype, const std::vector<unsigned>& codes, unsigned bits,
                         const std::vector<float>& expected) {
  const std::vector<uint8_t> bytes = Pack(codes, bits);
  for (const Decode decode : {&DecodeToFloat32, &DecodeToFloat32Reference}) {
    std::vector<float> out(codes.size());
    decode(dtype, std::as_bytes(std::span(bytes)), out);
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_TRUE(Same(out[i], expected[i]))
          << InfoOf(dtype).name << " element " << i << ": " << out[i] << ", not " << expected[i];
    }
  }
}

// Sign, exponent field and fraction field of a finite number.
float Finite(unsigned negative, unsigned exponent, unsigned fraction, int bias, int fraction_bits) {
  const double significand = std::ldexp(fraction, -fraction_bits) + (exponent == 0 ? 0 : 1);
  const double value =
      std::ldexp(significand, (exponent == 0 ? 1 : static_cast<int>(exponent)) - bias);
  return static_cast<float>(negative != 0 ? -value : value);
}

TEST(ElementTypes, F4HoldsTheSixteenValuesOfOcpMx) {
  const std::vector<float> values = {0,     0.5f,  1,     1.5f,  2,     3,     4,     6,
                                     -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};
  std::vector<unsigned> codes;
  std::vector<float> expected;
  for (unsigned first = 0; first < 16; ++first) {
    for (unsigned second = 0; second < 16; ++second) {
      codes.insert(codes.end(), {first, second});
      expected.insert(expected.end(), {values[first], values[second]});
    }
  }
  ExpectDecodesPacked(DType::kF4, codes, 4, expected);
}

TEST(ElementTypes, F4HasItsFirstElementInTheLowHalf) {
  ExpectDecodes<uint8_t>(DType::kU8, {0x72}, {0x72});  // the byte that holds 2 and then 7
  std::vector<float> out(2);
  const std::array bytes = {std::byte{0x72}};
  DecodeToFloat32(DType::kF4, bytes, out);
  EXPECT_THAT(out, testing::ElementsAre(1.0f, 6.0f));
}

TEST(ElementTypes, F6E2M3) {
  std::vector<unsigned> codes;
  std::vector<float> expected;
  for (unsigned code = 0; code < 64; ++code) {
    codes.push_back(code);
    expected.push_back(Finite(code >> 5, code >> 3 & 3, code & 7, 1, 3));
  }
  EXPECT_EQ(expected[1], 0.125f);  // the specification's extremes
  EXPECT_EQ(expected[8], 1.0f);
  EXPECT_EQ(expected[31], 7.5f);
  EXPECT_EQ(expected[63], -7.5f);
  ExpectDecodesPacked(DType::kF6E2M3, codes, 6, expected);
}

TEST(ElementTypes, F6E3M2) {
  std::vector<unsigned> codes;
  std::vector<float> expected;
  for (unsigned code = 0; code < 64; ++code) {
    codes.push_back(code);
    expected.push_back(Finite(code >> 5, code >> 2 & 7, code & 3, 3, 2));
  }
  EXPECT_EQ(expected[1], 0.0625f);
  EXPECT_EQ(expected[4], 0.25f);
  EXPECT_EQ(expected[31], 28.0f);
  EXPECT_EQ(expected[63], -28.0f);
  ExpectDecodesPacked(DType::kF6E3M2, codes, 6, expected);
}

TEST(ElementTypes, SixBitElementsLieAcrossBytes) {
  // 1, 2, 3, 4 as codes: 000001 | 000010 << 6 | 000011 << 12 | 000100 << 18 = 0x103081.
  const std::array bytes = {std::byte{0x81}, std::byte{0x30}, std::byte{0x10}};
  std::vector<float> out(4);
  DecodeToFloat32(DType::kF6E2M3, bytes, out);
  EXPECT_THAT(out, testing::ElementsAre(0.125f, 0.25f, 0.375f, 0.5f));
}

TEST(ElementTypes, PackedTypesEndInsideAGroup) {
  for (const DType dtype : {DType::kF4, DType::kF6E2M3, DType::kF6E3M2}) {
    const unsigned bits = InfoOf(dtype).bits;
    for (size_t count = 0; count <= 9; ++count) {
      std::vector<unsigned> codes;
      for (unsigned i = 0; i < count; ++i) codes.push_back((i * 7 + 3) % (1u << bits));
      const std::vector<uint8_t> bytes = Pack(codes, bits);
      std::vector<float> fast(count);
      std::vector<float> reference(count);
      DecodeToFloat32(dtype, std::as_bytes(std::span(bytes)), fast);
      DecodeToFloat32Reference(dtype, std::as_bytes(std::span(bytes)), reference);
      EXPECT_EQ(fast, reference) << InfoOf(dtype).name << " x " << count;
    }
  }
}

TEST(ElementTypes, EveryInstructionSetDecodes16BitFloatsAlike) {
  const std::vector<uint16_t> codes = AllCodes<uint16_t>();
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    std::vector<float> reference(codes.size());
    DecodeToFloat32Reference(dtype, std::as_bytes(std::span(codes)), reference);
    for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
      hwy::SetSupportedTargetsForTest(targets & -targets);
      std::vector<float> decoded(codes.size());
      DecodeToFloat32(dtype, std::as_bytes(std::span(codes)), decoded);
      for (size_t i = 0; i < codes.size(); ++i) {
        if (std::isnan(reference[i])) {
          ASSERT_TRUE(std::isnan(decoded[i])) << hwy::TargetName(targets & -targets) << i;
        } else {
          ASSERT_EQ(decoded[i], reference[i]) << hwy::TargetName(targets & -targets) << i;
        }
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST(ElementTypes, F8E4M3HasNoInfinityAndNanOnlyWhereAllBitsAreSet) {
  std::vector<float> expected;
  for (unsigned code = 0; code < 256; ++code) {
    expected.push_back((code & 0x7F) == 0x7F ? kNan
                                             : Finite(code >> 7, code >> 3 & 15, code & 7, 7, 3));
  }
  EXPECT_EQ(expected[0x7E], 448.0f);
  EXPECT_EQ(expected[0x01], std::ldexp(1.0f, -9));
  EXPECT_EQ(expected[0x08], std::ldexp(1.0f, -6));
  EXPECT_EQ(expected[0xB8], -1.0f);
  ExpectDecodes(DType::kF8E4M3, AllCodes<uint8_t>(), expected);
}

TEST(ElementTypes, F8E5M2IsAsIeee) {
  std::vector<float> expected;
  for (unsigned code = 0; code < 256; ++code) {
    const unsigned magnitude = code & 0x7F;
    float value = Finite(code >> 7, magnitude >> 2, code & 3, 15, 2);
    if (magnitude == 0x7C) value = code >> 7 ? -kInfinity : kInfinity;
    if (magnitude > 0x7C) value = kNan;
    expected.push_back(value);
  }
  EXPECT_EQ(expected[0x7B], 57344.0f);
  EXPECT_EQ(expected[0x01], std::ldexp(1.0f, -16));
  EXPECT_EQ(expected[0x04], std::ldexp(1.0f, -14));
  ExpectDecodes(DType::kF8E5M2, AllCodes<uint8_t>(), expected);
}

TEST(ElementTypes, FnuzTypesHaveOneNanAndNoMinusZero) {
  std::vector<float> e4m3;
  std::vector<float> e5m2;
  for (unsigned code = 0; code < 256; ++code) {
    e4m3.push_back(code == 0x80 ? kNan : Finite(code >> 7, code >> 3 & 15, code & 7, 8, 3));
    e5m2.push_back(code == 0x80 ? kNan : Finite(code >> 7, code >> 2 & 31, code & 3, 16, 2));
  }
  EXPECT_EQ(e4m3[0x7F], 240.0f);
  EXPECT_EQ(e4m3[0x01], std::ldexp(1.0f, -10));
  EXPECT_EQ(e4m3[0xFF], -240.0f);
  EXPECT_EQ(e5m2[0x7F], 57344.0f);
  EXPECT_EQ(e5m2[0x01], std::ldexp(1.0f, -17));
  ExpectDecodes(DType::kF8E4M3Fnuz, AllCodes<uint8_t>(), e4m3);
  ExpectDecodes(DType::kF8E5M2Fnuz, AllCodes<uint8_t>(), e5m2);
}

TEST(ElementTypes, F8E8M0IsAPowerOfTwo) {
  std::vector<float> expected;
  for (int code = 0; code < 255; ++code) expected.push_back(std::ldexp(1.0f, code - 127));
  expected.push_back(kNan);
  EXPECT_GT(expected[0], 0.0f);  // 2^-127, subnormal as a float32
  ExpectDecodes(DType::kF8E8M0, AllCodes<uint8_t>(), expected);
}

TEST(ElementTypes, F16) {
  std::vector<float> expected;
  for (unsigned code = 0; code < 0x10000; ++code) {
    const unsigned magnitude = code & 0x7FFF;
    float value = Finite(code >> 15, magnitude >> 10, code & 0x3FF, 15, 10);
    if (magnitude == 0x7C00) value = code >> 15 ? -kInfinity : kInfinity;
    if (magnitude > 0x7C00) value = kNan;
    expected.push_back(value);
  }
  EXPECT_EQ(expected[0x7BFF], 65504.0f);
  EXPECT_EQ(expected[0x0001], 5.9604645e-8f);
  EXPECT_EQ(expected[0x03FF], 6.0975552e-5f);
  EXPECT_EQ(expected[0x0400], 6.1035156e-5f);
  EXPECT_EQ(expected[0x3555], 0.33325195f);
  ExpectDecodes(DType::kF16, AllCodes<uint16_t>(), expected);
}

TEST(ElementTypes, BF16IsTheUpperHalfOfAFloat32) {
  std::vector<float> expected;
  for (uint32_t code = 0; code < 0x10000; ++code) {
    expected.push_back(std::bit_cast<float>(code << 16));
  }
  EXPECT_EQ(expected[0x3F80], 1.0f);
  EXPECT_EQ(expected[0x4049], 3.140625f);
  EXPECT_EQ(expected[0x0001], std::ldexp(1.0f, -133));
  ExpectDecodes(DType::kBF16, AllCodes<uint16_t>(), expected);
}

TEST(ElementTypes, SmallIntegersAndBool) {
  std::vector<float> u8, i8, boolean;
  for (int code = 0; code < 256; ++code) {
    u8.push_back(static_cast<float>(code));
    i8.push_back(static_cast<float>(code < 128 ? code : code - 256));
    boolean.push_back(code == 0 ? 0.0f : 1.0f);
  }
  ExpectDecodes(DType::kU8, AllCodes<uint8_t>(), u8);
  ExpectDecodes(DType::kI8, AllCodes<uint8_t>(), i8);
  ExpectDecodes(DType::kBool, AllCodes<uint8_t>(), boolean);

  std::vector<float> u16, i16;
  for (int code = 0; code < 65536; ++code) {
    u16.push_back(static_cast<float>(code));
    i16.push_back(static_cast<float>(code < 32768 ? code : code - 65536));
  }
  ExpectDecodes(DType::kU16, AllCodes<uint16_t>(), u16);
  ExpectDecodes(DType::kI16, AllCodes<uint16_t>(), i16);
}

TEST(ElementTypes, WideIntegersRoundToNearestEven) {
  ExpectDecodes<int32_t>(DType::kI32,
                         {0, -1, 16777217, 16777219, -16777217, std::numeric_limits<int32_t>::min(),
                          std::numeric_limits<int32_t>::max()},
                         {0, -1, 16777216, 16777220, -16777216, -2147483648.0f, 2147483648.0f});
  ExpectDecodes<uint32_t>(DType::kU32, {0, 16777217, 0xFFFFFFFF}, {0, 16777216, 4294967296.0f});
  ExpectDecodes<int64_t>(DType::kI64,
                         {-1, (int64_t{1} << 40) + 1, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()},
                         {-1, 1099511627776.0f, -9223372036854775808.0f, 9223372036854775808.0f});
  // Just above the middle of two floats: a detour through double would round to even twice.
  ExpectDecodes<uint64_t>(
      DType::kU64, {0, 0xFFFFFFFFFFFFFFFF, (uint64_t{1} << 60) + (uint64_t{1} << 36) + 1},
      {0, 18446744073709551616.0f, std::ldexp(1.0f + std::ldexp(1.0f, -23), 60)});
}

TEST(ElementTypes, DoublesRoundToNearest) {
  ExpectDecodes<double>(
      DType::kF64,
      {0.0, -0.0, 1.0, 0.1, 1e300, -1e300, 1e-300, 1e-45, 3.4028235e38, 3.4028236e38,
       1.0 + std::ldexp(1.0, -24), 1.0 + 3 * std::ldexp(1.0, -24), std::nan(""),
       std::numeric_limits<double>::infinity()},
      {0.0f, -0.0f, 1.0f, 0.1f, kInfinity, -kInfinity, 0.0f, std::ldexp(1.0f, -149), 3.4028235e38f,
       kInfinity, 1.0f, 1.0f + std::ldexp(1.0f, -22), kNan, kInfinity});
}

TEST(ElementTypes, FloatsStayBitForBit) {
  std::mt19937_64 random(1);
  std::vector<uint32_t> stored(1000);
  for (uint32_t& bits : stored) bits = static_cast<uint32_t>(random());
  const std::vector<float> out = DecodeAll(&DecodeToFloat32, DType::kF32, stored);
  EXPECT_EQ(std::memcmp(out.data(), stored.data(), 4000), 0);
}

// The fast loops work in blocks: every length around one must agree with the reference.
TEST(ElementTypes, FastAgreesWithTheReferenceForEveryTypeAndLength) {
  std::mt19937_64 random(2);
  for (const DTypeInfo& info : AllDTypes()) {
    if (!IsReal(info.dtype)) continue;
    for (const size_t count : {0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 200, 1000}) {
      std::vector<uint8_t> bytes((count * info.bits + 7) / 8);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      std::vector<float> fast(count);
      std::vector<float> reference(count);
      DecodeToFloat32(info.dtype, std::as_bytes(std::span(bytes)), fast);
      DecodeToFloat32Reference(info.dtype, std::as_bytes(std::span(bytes)), reference);
      for (size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(Same(fast[i], reference[i])) << info.name << " " << i << " of " << count;
      }
    }
  }
}

TEST(ElementTypes, GroupsFillWholeBytes) {
  for (const DTypeInfo& info : AllDTypes()) {
    EXPECT_EQ(ElementsPerGroup(info.dtype) * info.bits % 8, 0u) << info.name;
  }
  EXPECT_EQ(ElementsPerGroup(DType::kF4), 2u);
  EXPECT_EQ(ElementsPerGroup(DType::kF6E3M2), 4u);
  EXPECT_EQ(ElementsPerGroup(DType::kBF16), 1u);
}

TEST(ElementTypes, OnlyComplexNumbersAreNotReal) {
  for (const DTypeInfo& info : AllDTypes()) EXPECT_EQ(IsReal(info.dtype), info.name != "C64");
}

}  // namespace
}  // namespace tensorguard::internal
