#include "fingerprint/sketches/row_samples.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/random_bits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/sketches/row_samples.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef TENSORGUARD_FULL_PROFILE_ROW_SAMPLES_LANES_
#define TENSORGUARD_FULL_PROFILE_ROW_SAMPLES_LANES_
namespace tensorguard::internal {

// Numbers that are added up apart: one order of the sums on every processor.
inline constexpr size_t kRowSampleLanes = 16;

struct RowSums {
  uint64_t hash = 0;
  alignas(64) std::array<std::array<double, kRowSampleLanes>, kRowProjections> products = {};
  alignas(64) std::array<double, kRowSampleLanes> squares = {};
};

}  // namespace tensorguard::internal
#endif

// Highway compiles this part once per instruction set and picks one at run time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> LoadBits(D d, const float* values) {
  return hn::LoadU(d, reinterpret_cast<const uint32_t*>(values));
}

template <class D>
HWY_INLINE hn::Vec<D> LoadBits(D d, const BFloat16* values) {
  const hn::Rebind<uint16_t, D> d16;
  return hn::ShiftLeft<16>(
      hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(values))));
}

// Sums of products of neighbours, modulo 2^64: their order does not matter.
#if HWY_TARGET == HWY_SCALAR
template <class T>
HWY_INLINE uint64_t Hash(const T* values, size_t count, const uint32_t* keys) {
  const hn::ScalableTag<uint32_t> d;
  uint64_t hash = 0;
  for (size_t i = 0; i < count; i += 2) {
    const uint32_t even = hn::GetLane(LoadBits(d, values + i)) + keys[i];
    const uint32_t odd = hn::GetLane(LoadBits(d, values + i + 1)) + keys[i + 1];
    hash += uint64_t{even} * odd;
  }
  return hash;
}
#else
template <class T>
HWY_INLINE uint64_t Hash(const T* values, size_t count, const uint32_t* keys) {
  const hn::CappedTag<uint32_t, kRowSampleLanes> d;
  const hn::Repartition<uint64_t, decltype(d)> d64;
  auto sum = hn::Zero(d64);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto added = hn::Add(LoadBits(d, values + i), hn::LoadU(d, keys + i));
    sum = hn::Add(sum, hn::MulEven(added, hn::Shuffle2301(added)));
  }
  // Lane by lane: the compiler's own sum of lanes is one of signed numbers, which must not
  // overflow.
  std::array<uint64_t, kRowSampleLanes> lanes = {};
  hn::StoreU(sum, d64, lanes.data());
  uint64_t hash = 0;
  for (size_t i = 0; i < hn::Lanes(d64); ++i) hash += lanes[i];
  return hash;
}
#endif

template <class T>
HWY_INLINE void AddAll(const T* values, size_t count, const uint32_t* first_signs,
                       const uint32_t* second_signs, RowSums& sums) {
  const hn::CappedTag<double, kRowSampleLanes / 2> d;
  const hn::Rebind<uint32_t, decltype(d)> d32;
  const hn::Rebind<float, decltype(d)> d_float;
  const size_t lanes = hn::Lanes(d);
  const auto wide = [&](auto bits)
                        HWY_ATTR { return hn::PromoteTo(d, hn::BitCast(d_float, bits)); };
  for (size_t lane = 0; lane < kRowSampleLanes; lane += lanes) {
    auto first = hn::Load(d, &sums.products[0][lane]);
    auto second = hn::Load(d, &sums.products[1][lane]);
    auto squares = hn::Load(d, &sums.squares[lane]);
    for (size_t i = lane; i < count; i += kRowSampleLanes) {
      const auto bits = LoadBits(d32, values + i);
      const auto number = wide(bits);
      first = hn::Add(first, wide(hn::Xor(bits, hn::LoadU(d32, first_signs + i))));
      second = hn::Add(second, wide(hn::Xor(bits, hn::LoadU(d32, second_signs + i))));
      squares = hn::MulAdd(number, number, squares);  // squares of float32 numbers are exact
    }
    hn::Store(first, d, &sums.products[0][lane]);
    hn::Store(second, d, &sums.products[1][lane]);
    hn::Store(squares, d, &sums.squares[lane]);
  }
}

void HashFloat32(const float* values, size_t count, const uint32_t* keys, uint64_t* hash) {
  *hash += Hash(values, count, keys);
}
void HashBFloat16(const BFloat16* values, size_t count, const uint32_t* keys, uint64_t* hash) {
  *hash += Hash(values, count, keys);
}
void AddFloat32(const float* values, size_t count, const uint32_t* first_signs,
                const uint32_t* second_signs, RowSums* sums) {
  AddAll(values, count, first_signs, second_signs, *sums);
}
void AddBFloat16(const BFloat16* values, size_t count, const uint32_t* first_signs,
                 const uint32_t* second_signs, RowSums* sums) {
  AddAll(values, count, first_signs, second_signs, *sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(HashFloat32);
HWY_EXPORT(HashBFloat16);
HWY_EXPORT(AddFloat32);
HWY_EXPORT(AddBFloat16);

constexpr uint64_t kRowKey = 0x5447'524f'574b'4559;  // "TGROWKEY"
constexpr uint32_t kSignBit = 0x8000'0000;

double SumOf(std::array<double, kRowSampleLanes> lanes) {
  for (size_t half = lanes.size() / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

uint32_t DigestOf(uint64_t hash) { return static_cast<uint32_t>(MixedBits(hash) >> 32); }

// To the nearest multiple of kProjectionStep, ties to even.
float Projection(double product, double squares) {
  if (squares == 0) return 0;
  const double steps = std::nearbyint(product / std::sqrt(squares) / kProjectionStep);
  return static_cast<float>(std::clamp(steps, -127.0, 127.0)) * kProjectionStep;
}

SampledRow Finish(const RowSums& sums) {
  SampledRow row = {.digest = DigestOf(sums.hash)};
  const double squares = SumOf(sums.squares);
  for (size_t i = 0; i < kRowProjections; ++i) {
    row.projections[i] = Projection(SumOf(sums.products[i]), squares);
  }
  return row;
}

// REQUIRES: a multiple of kRowSampleLanes numbers.
void AddWhole(std::span<const float> values, size_t column, const RowProbes& probes,
              RowSums& sums) {
  HWY_DYNAMIC_DISPATCH(HashFloat32)
  (values.data(), values.size(), &probes.keys[column], &sums.hash);
  HWY_DYNAMIC_DISPATCH(AddFloat32)
  (values.data(), values.size(), &probes.signs[0][column], &probes.signs[1][column], &sums);
}

void AddWhole(std::span<const BFloat16> values, size_t column, const RowProbes& probes,
              RowSums& sums) {
  HWY_DYNAMIC_DISPATCH(HashBFloat16)
  (values.data(), values.size(), &probes.keys[column], &sums.hash);
  HWY_DYNAMIC_DISPATCH(AddBFloat16)
  (values.data(), values.size(), &probes.signs[0][column], &probes.signs[1][column], &sums);
}

// What follows the last whole step is followed by zeros: they change no sum, and their keys are
// those of an odd number of columns or zeros.
template <class T>
SampledRow Sample(std::span<const T> row, const RowProbes& probes) {
  RowSums sums;
  const size_t whole = row.size() / kRowSampleLanes * kRowSampleLanes;
  if (whole > 0) AddWhole(row.first(whole), 0, probes, sums);
  if (whole < row.size()) {
    std::array<T, kRowSampleLanes> rest = {};
    std::copy(row.begin() + static_cast<std::ptrdiff_t>(whole), row.end(), rest.begin());
    AddWhole(std::span<const T>(rest), whole, probes, sums);
  }
  return Finish(sums);
}

}  // namespace

RowProbes::RowProbes(uint64_t columns) {
  const uint64_t key = MixedBits(kRowKey + columns);
  const uint64_t padded = (columns + kRowSampleLanes - 1) / kRowSampleLanes * kRowSampleLanes;
  keys.resize(padded);
  for (auto& of : signs) of.resize(padded);
  for (uint64_t column = 0; column < columns + columns % 2; ++column) {
    const uint64_t bits = RandomBits(key, column);
    keys[column] = static_cast<uint32_t>(bits);
    signs[0][column] = bits >> 63 == 0 ? 0 : kSignBit;
    signs[1][column] = (bits >> 62 & 1) == 0 ? 0 : kSignBit;
  }
}

SampledRow SampleRow(std::span<const float> row, const RowProbes& probes) {
  return Sample(row, probes);
}

SampledRow SampleRow(std::span<const BFloat16> row, const RowProbes& probes) {
  return Sample(row, probes);
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
