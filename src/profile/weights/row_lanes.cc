#include "profile/weights/row_lanes.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "profile/weights/row_lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The bits of a number, with and without a sign of their own.
template <class T>
using Unsigned = std::conditional_t<sizeof(T) == 2, uint16_t, uint32_t>;
template <class T>
using Signed = std::make_signed_t<Unsigned<T>>;

constexpr size_t kMostLanes = 32;

template <class T>
HWY_INLINE const Unsigned<T>* BitsOf(const T* values) {
  return reinterpret_cast<const Unsigned<T>*>(values);
}

template <class D>
HWY_INLINE hn::Vec<D> LoadWide(D d, const float* values) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), values));
}

template <class D>
HWY_INLINE hn::Vec<D> LoadWide(D d, const BFloat16* values) {
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(hn::Rebind<uint16_t, D>(), BitsOf(values)));
  return hn::PromoteTo(d, hn::BitCast(hn::Rebind<float, D>(), hn::ShiftLeft<16>(bits)));
}

// Four vectors of lanes at a time, so that no addition waits for the one before it.
template <class T>
HWY_INLINE void AddAll(const T* values, size_t count, double* sums, double* squares) {
  const hn::CappedTag<double, kSumLanes / 4> d;  // so that four vectors are at most all lanes
  const size_t step = hn::Lanes(d);
  for (size_t lane = 0; lane < kSumLanes; lane += 4 * step) {
    double* const sum = sums + lane;
    double* const square = squares + lane;
    auto s0 = hn::Load(d, sum), s1 = hn::Load(d, sum + step);
    auto s2 = hn::Load(d, sum + 2 * step), s3 = hn::Load(d, sum + 3 * step);
    auto q0 = hn::Load(d, square), q1 = hn::Load(d, square + step);
    auto q2 = hn::Load(d, square + 2 * step), q3 = hn::Load(d, square + 3 * step);
    for (const T* value = values + lane; value < values + count; value += kSumLanes) {
      const auto x0 = LoadWide(d, value), x1 = LoadWide(d, value + step);
      const auto x2 = LoadWide(d, value + 2 * step), x3 = LoadWide(d, value + 3 * step);
      s0 = hn::Add(s0, x0);
      s1 = hn::Add(s1, x1);
      s2 = hn::Add(s2, x2);
      s3 = hn::Add(s3, x3);
      q0 = hn::MulAdd(x0, x0, q0);
      q1 = hn::MulAdd(x1, x1, q1);
      q2 = hn::MulAdd(x2, x2, q2);
      q3 = hn::MulAdd(x3, x3, q3);
    }
    hn::Store(s0, d, sum), hn::Store(s1, d, sum + step);
    hn::Store(s2, d, sum + 2 * step), hn::Store(s3, d, sum + 3 * step);
    hn::Store(q0, d, square), hn::Store(q1, d, square + step);
    hn::Store(q2, d, square + 2 * step), hn::Store(q3, d, square + 3 * step);
  }
}

void AddAllFloat32(const float* values, size_t count, double* sums, double* squares) {
  AddAll(values, count, sums, squares);
}

void AddAllBFloat16(const BFloat16* values, size_t count, double* sums, double* squares) {
  AddAll(values, count, sums, squares);
}

// Bits as integers in the order of the numbers (-0 below 0, what is not finite at the ends): those
// of negative numbers count down. Twice is the number's bits again.
template <class D>
HWY_INLINE hn::Vec<D> InOrder(D d, hn::Vec<D> bits) {
  const auto magnitude = hn::Set(d, hwy::LimitsMax<hn::TFromD<D>>());
  return hn::Xor(bits, hn::And(hn::BroadcastSignBit(bits), magnitude));
}

template <class D>
HWY_INLINE float NumberAt(D d, hn::Vec<D> places) {
  const auto bits = static_cast<uint32_t>(hn::GetLane(InOrder(d, places)));
  return std::bit_cast<float>(sizeof(hn::TFromD<D>) == 2 ? bits << 16 : bits) + 0.0f;  // no -0
}

template <class T>
HWY_INLINE Extremes ExtremesOfAll(const T* values, size_t count) {
  const hn::CappedTag<Signed<T>, kMostLanes> d;
  const hn::CappedTag<Unsigned<T>, kMostLanes> du;
  auto least = hn::Set(d, hwy::LimitsMax<Signed<T>>());
  auto greatest = hn::Set(d, hwy::LimitsMin<Signed<T>>());
  auto least_doubled = hn::Set(du, hwy::LimitsMax<Unsigned<T>>());  // 0: there is a zero
  const auto take = [&](const T* numbers) HWY_ATTR {
    const auto bits = hn::LoadU(du, BitsOf(numbers));
    const auto places = InOrder(d, hn::BitCast(d, bits));
    least = hn::Min(least, places);
    greatest = hn::Max(greatest, places);
    least_doubled = hn::Min(least_doubled, hn::Add(bits, bits));
  };
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) take(values + i);
  if (i < count) {
    T rest[kMostLanes];
    std::fill(std::copy(values + i, values + count, rest), rest + kMostLanes, values[i]);
    take(rest);
  }
  return {.least = NumberAt(d, hn::MinOfLanes(d, least)),
          .greatest = NumberAt(d, hn::MaxOfLanes(d, greatest)),
          .has_zero = hn::GetLane(hn::MinOfLanes(du, least_doubled)) == 0};
}

Extremes ExtremesOfFloat32(const float* values, size_t count) {
  return ExtremesOfAll(values, count);
}

Extremes ExtremesOfBFloat16(const BFloat16* values, size_t count) {
  return ExtremesOfAll(values, count);
}

#if HWY_TARGET != HWY_SCALAR
// Each lane plus its neighbour in a pair, then each pair plus its neighbour: the sums of groups of
// four in all their lanes.
template <class D>
HWY_INLINE hn::Vec<D> SumsOfFours(D d, hn::Vec<D> lanes) {
  if constexpr (sizeof(hn::TFromD<D>) == 2) {
    const hn::Repartition<uint32_t, D> d32;
    const auto swapped = hn::BitCast(d, hn::RotateRight<16>(hn::BitCast(d32, lanes)));
    const auto pairs = hn::Add(lanes, swapped);
    return hn::Add(pairs, hn::BitCast(d, hn::Shuffle2301(hn::BitCast(d32, pairs))));
  } else {
    const auto pairs = hn::Add(lanes, hn::Shuffle2301(lanes));
    return hn::Add(pairs, hn::Shuffle1032(pairs));
  }
}

// Of the first whole vectors; returns how many numbers these are.
template <class T>
HWY_INLINE size_t AddZerosInVectors(const T* row, size_t count, RowZeros& total) {
  const hn::CappedTag<Unsigned<T>, kMostLanes> du;
  const hn::RebindToSigned<decltype(du)> d;
  uint64_t lanes_in_sparse = 0;
  size_t i = 0;
  for (; i + hn::Lanes(du) <= count; i += hn::Lanes(du)) {
    const auto bits = hn::LoadU(du, BitsOf(row + i));
    const auto is_zero = hn::Eq(hn::Add(bits, bits), hn::Zero(du));
    const size_t zeros = hn::CountTrue(du, is_zero);
    if (zeros == 0) continue;
    total.zeros += zeros;
    const auto ones = hn::And(hn::VecFromMask(du, is_zero), hn::Set(du, 1));
    const auto in_four = hn::BitCast(d, SumsOfFours(du, ones));
    lanes_in_sparse += hn::CountTrue(d, hn::Gt(in_four, hn::Set(d, 1)));
  }
  total.sparse_fours += lanes_in_sparse / 4;
  return i;
}
#else
template <class T>
HWY_INLINE size_t AddZerosInVectors(const T*, size_t, RowZeros&) {
  return 0;
}
#endif

template <class T>
HWY_INLINE RowZeros ZerosOfRow(const T* row, size_t count) {
  RowZeros total;
  for (size_t i = AddZerosInVectors(row, count, total); i < count; i += 4) {
    const auto end = row + std::min(i + 4, count);
    const auto zeros = std::count_if(row + i, end, [](T value) { return IsZero(value); });
    total.zeros += static_cast<uint64_t>(zeros);
    total.sparse_fours += i + 4 <= count && zeros >= 2 ? 1 : 0;
  }
  return total;
}

RowZeros ZerosOfFloat32(const float* row, size_t count) { return ZerosOfRow(row, count); }
RowZeros ZerosOfBFloat16(const BFloat16* row, size_t count) { return ZerosOfRow(row, count); }

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {

HWY_EXPORT(AddAllFloat32);
HWY_EXPORT(AddAllBFloat16);
HWY_EXPORT(ExtremesOfFloat32);
HWY_EXPORT(ExtremesOfBFloat16);
HWY_EXPORT(ZerosOfFloat32);
HWY_EXPORT(ZerosOfBFloat16);

void AddToLanes(std::span<const float> values, LaneSums& lanes) {
  HWY_DYNAMIC_DISPATCH(AddAllFloat32)
  (values.data(), values.size(), lanes.sums.data(), lanes.squares.data());
}

void AddToLanes(std::span<const BFloat16> values, LaneSums& lanes) {
  HWY_DYNAMIC_DISPATCH(AddAllBFloat16)
  (values.data(), values.size(), lanes.sums.data(), lanes.squares.data());
}

Extremes ExtremesOf(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(ExtremesOfFloat32)(values.data(), values.size());
}

Extremes ExtremesOf(std::span<const BFloat16> values) {
  return HWY_DYNAMIC_DISPATCH(ExtremesOfBFloat16)(values.data(), values.size());
}

RowZeros ZerosOf(std::span<const float> row) {
  return HWY_DYNAMIC_DISPATCH(ZerosOfFloat32)(row.data(), row.size());
}

RowZeros ZerosOf(std::span<const BFloat16> row) {
  return HWY_DYNAMIC_DISPATCH(ZerosOfBFloat16)(row.data(), row.size());
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
