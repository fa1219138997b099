// Samples of rows: against plain loops, by hand, and what their products estimate.
#include "fingerprint/sketches/row_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "base/random_bits.h"

namespace tensorguard::internal {
namespace {

std::vector<BFloat16> Narrow(size_t count, uint64_t seed) {
  std::vector<BFloat16> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(RandomBits(seed, i) >> 11) / (1ull << 53);
    numbers[i] = RoundToBFloat16(static_cast<float>(2 * value - 1));
  }
  return numbers;
}

std::vector<float> Wide(const std::vector<BFloat16>& numbers) {
  std::vector<float> wide;
  for (const BFloat16 number : numbers) wide.push_back(ToFloat32(number));
  return wide;
}

// Odd, even, below, at and beyond whole steps of the lanes.
TEST(SampleRow, AgreesWithPlainLoopsInEitherType) {
  for (const size_t columns : {1, 2, 3, 15, 16, 17, 31, 64, 1000, 4097}) {
    const RowProbes probes(columns);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const auto narrow = Narrow(columns, seed);
      const auto wide = Wide(narrow);
      const SampledRow plain = SampleRowPlainly(wide, probes);
      for (const SampledRow& row : {SampleRow(wide, probes), SampleRow(narrow, probes)}) {
        EXPECT_EQ(row.digest, plain.digest) << columns;
        EXPECT_EQ(row.projections, plain.projections) << columns;
      }
    }
  }
}

TEST(SampleRow, TellsRowsApartByAnyNumber) {
  const RowProbes probes(300);
  auto row = Wide(Narrow(300, 1));
  std::set<uint32_t> digests = {SampleRow(row, probes).digest};
  for (float& number : row) {
    const float before = number;
    number = std::nextafter(number, 2.0f);
    digests.insert(SampleRow(row, probes).digest);
    number = before;
  }
  EXPECT_EQ(digests.size(), 301u);
  std::swap(row[7], row[8]);
  EXPECT_FALSE(digests.contains(SampleRow(row, probes).digest));
}

// These numbers are part of the format: a change of them must raise its version. Computed by the
// document with another program.
TEST(SampleRow, IsThatOfTheFormat) {
  const std::vector<float> row = {0.5f, -1.25f, 3, 0, 2};
  const SampledRow sampled = SampleRow(row, RowProbes(row.size()));
  EXPECT_EQ(sampled.digest, 0xbc1f'98b5u);
  EXPECT_EQ(sampled.projections, (std::array<float, 2>{-1.5f, -0.1875f}));
}

// The norm of the row does not count.
TEST(SampleRow, ProjectsRowsAtNormOne) {
  const RowProbes probes(500);
  auto row = Wide(Narrow(500, 3));
  const auto projections = SampleRow(row, probes).projections;
  for (float& number : row) number *= 1e20f;
  EXPECT_EQ(SampleRow(row, probes).projections, projections);
  std::fill(row.begin(), row.end(), 0.0f);
  EXPECT_EQ(SampleRow(row, probes).projections, (std::array<float, 2>{0, 0}));
}

// A row along a probe is sqrt(columns) long there, which is more than can be held.
TEST(SampleRow, HoldsWhatIsTooFarAtTheEnd) {
  const RowProbes probes(10'000);
  std::vector<float> row;
  for (size_t i = 0; i < 10'000; ++i) row.push_back(probes.signs[1][i] == 0 ? -1.0f : 1.0f);
  EXPECT_EQ(SampleRow(row, probes).projections[1], -127 * kProjectionStep);
}

TEST(SampleRow, ItsProductsOverManyRowsAreTheCosine) {
  constexpr size_t kColumns = 200;
  const RowProbes probes(kColumns);
  double products = 0;
  double squares = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const auto row = Wide(Narrow(kColumns, seed));
    auto other = Wide(Narrow(kColumns, seed + 100'000));
    for (size_t i = 0; i < kColumns; ++i) other[i] = 0.6f * row[i] + 0.8f * other[i];
    const auto a = SampleRow(row, probes).projections;
    const auto b = SampleRow(other, probes).projections;
    for (size_t i = 0; i < kRowProjections; ++i) {
      products += a[i] * b[i];
      squares += a[i] * a[i];
    }
  }
  EXPECT_NEAR(squares / 8000, 1, 0.05);
  EXPECT_NEAR(products / 8000, 0.6, 0.05);
}

}  // namespace
}  // namespace tensorguard::internal
