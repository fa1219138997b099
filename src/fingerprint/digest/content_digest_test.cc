// Digests of weights: by their definition, and one for the same numbers in either type.
#include "fingerprint/digest/content_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "fingerprint/sketches/probe_numbers.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"

namespace tensorguard::internal {
namespace {

// Any bits but those of NaN and infinity.
std::vector<BFloat16> RandomNumbers(size_t count) {
  std::vector<BFloat16> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<BFloat16>(RandomBits(7, i) & 0xbfff);
  }
  return numbers;
}

std::vector<float> Widened(std::span<const BFloat16> numbers) {
  std::vector<float> wide(numbers.size());
  std::transform(numbers.begin(), numbers.end(), wide.begin(),
                 [](BFloat16 value) { return ToFloat32(value); });
  return wide;
}

template <class T>
BlockDigest ByDefinition(const std::vector<T>& numbers) {
  const Blake3Digest inner = Blake3Plainly(std::as_bytes(std::span(numbers)));
  std::vector<std::byte> bytes = {static_cast<std::byte>(sizeof(T))};
  for (const uint8_t byte : inner) bytes.push_back(static_cast<std::byte>(byte));
  return Blake3Plainly(bytes);
}

// Below, at and beyond the pieces in which numbers are converted.
TEST(DigestOfValues, IsOneForTheSameNumbersInEitherType) {
  for (const size_t count : {1, 7, 1'000, 32'768, 32'769, 100'001}) {
    const auto narrow = RandomNumbers(count);
    const BlockDigest digest = ByDefinition(narrow);
    EXPECT_EQ(DigestOfValues(narrow), digest) << count;
    EXPECT_EQ(DigestOfValues(Widened(narrow)), digest) << count;
  }
}

TEST(DigestOfValues, HashesFloat32WhereOneNumberNeedsIt) {
  for (const size_t place : {0, 31'000, 99'999}) {
    auto numbers = Widened(RandomNumbers(100'000));
    numbers[place] = 1 + 1.0f / 256;
    EXPECT_EQ(DigestOfValues(numbers), ByDefinition(numbers)) << place;
  }
}

// The same bytes mean other numbers in the other type.
TEST(DigestOfValues, TellsTypesWithTheSameBytesApart) {
  const std::vector<float> wide = {1 + 1.0f / 256, 3.1f};
  std::vector<BFloat16> narrow(2 * wide.size());
  std::memcpy(narrow.data(), wide.data(), sizeof(float) * wide.size());
  EXPECT_NE(DigestOfValues(wide), DigestOfValues(narrow));
}

std::vector<float> RoundedBy(std::span<const float> numbers, DType dtype) {
  std::vector<std::byte> bytes(2 * numbers.size());
  EXPECT_FALSE(EncodeFloats(dtype, numbers, bytes));
  std::vector<float> rounded(numbers.size());
  if (dtype == DType::kBF16) {
    DecodeBrainFloats(bytes, rounded);
  } else {
    DecodeHalfFloats(bytes, rounded);
  }
  return rounded;
}

// Numbers of all magnitudes, with all bits.
TEST(DigestAs, IsTheDigestOfTheRoundedNumbers) {
  for (const size_t count : {1, 100, 16'384, 16'385, 70'001}) {
    std::vector<float> numbers;
    for (size_t i = 0; i < count; ++i) {
      const auto bits = static_cast<uint32_t>(RandomBits(9, i));
      const uint32_t exponent = 127 + 15 - bits % 48;
      numbers.push_back(std::bit_cast<float>((bits & 0x807f'ffff) | exponent << 23));
      if (std::abs(numbers.back()) >= 65504) numbers.back() /= 2;
    }
    EXPECT_EQ(DigestAsBFloat16(numbers), DigestOfValues(RoundedBy(numbers, DType::kBF16)));
    EXPECT_EQ(DigestAsFloat16(numbers), DigestOfValues(RoundedBy(numbers, DType::kF16)));
    const auto narrow = RoundedBy(numbers, DType::kBF16);
    EXPECT_EQ(DigestAsBFloat16(narrow), DigestOfValues(narrow));
  }
}

TEST(DigestAs, IsNoneWhereANumberBecomesInfinite) {
  const float last_bfloat16 = std::nextafter(0x1.ffp127f, 0.0f);
  EXPECT_TRUE(DigestAsBFloat16(std::vector<float>{1, -last_bfloat16}));
  EXPECT_FALSE(DigestAsBFloat16(std::vector<float>{1, -0x1.ffp127f}));
  EXPECT_TRUE(DigestAsFloat16(std::vector<float>{1, -65519.996f}));
  EXPECT_FALSE(DigestAsFloat16(std::vector<float>{1, -65520}));
}

TEST(DigestOfBlocks, IsTheFirstHalfOfTheHashOfAllInOrder) {
  const std::vector<BlockDigest> blocks = {DigestOfValues(RandomNumbers(3)),
                                           DigestOfValues(RandomNumbers(4))};
  std::vector<std::byte> bytes(2 * sizeof(BlockDigest));
  std::memcpy(bytes.data(), blocks.data(), bytes.size());
  const Blake3Digest expected = Blake3Plainly(bytes);
  const ContentDigest digest = DigestOfBlocks(blocks);
  EXPECT_TRUE(std::equal(digest.begin(), digest.end(), expected.begin()));
}

}  // namespace
}  // namespace tensorguard::internal
