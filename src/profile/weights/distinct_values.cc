#include "profile/weights/distinct_values.h"

#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "profile/weights/distinct_values.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Counts the codes that no earlier one equals, by comparing each vector of codes with every code
// before it. For so few this is faster than sorting them, which depends on what it finds.
// REQUIRES: whole vectors can be read.
template <class T>
HWY_INLINE uint64_t CountFirst(const T* codes, size_t count) {
  const hn::CappedTag<T, kMostCounted> d;
  const size_t lanes = hn::Lanes(d);
  uint64_t distinct = 0;
  for (size_t begin = 0; begin < count; begin += lanes) {
    const auto vector = hn::LoadU(d, codes + begin);
    auto least_difference = hn::Set(d, hwy::LimitsMax<T>());  // 0: an earlier one is equal
    for (size_t i = 0; i < begin; ++i) {
      least_difference = hn::Min(least_difference, hn::Xor(vector, hn::Set(d, codes[i])));
    }
    auto is_known = hn::Eq(least_difference, hn::Zero(d));
    const size_t end = std::min(count, begin + lanes);
    for (size_t i = begin; i < end; ++i) {
      const auto is_equal = hn::Eq(vector, hn::Set(d, codes[i]));
      is_known = hn::Or(is_known, hn::AndNot(hn::FirstN(d, i - begin + 1), is_equal));
    }
    distinct += hn::CountTrue(d, hn::AndNot(is_known, hn::FirstN(d, end - begin)));
  }
  return distinct;
}

uint64_t CountFirst32(const uint32_t* codes, size_t count) { return CountFirst(codes, count); }
uint64_t CountFirst16(const uint16_t* codes, size_t count) { return CountFirst(codes, count); }

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {

HWY_EXPORT(CountFirst32);
HWY_EXPORT(CountFirst16);

uint64_t DistinctValues(std::span<const float> values) {
  alignas(64) uint32_t codes[kMostCounted] = {};
  std::transform(values.begin(), values.end(), codes,
                 [](float value) { return std::bit_cast<uint32_t>(value + 0.0f); });
  return HWY_DYNAMIC_DISPATCH(CountFirst32)(codes, values.size());
}

uint64_t DistinctValues(std::span<const BFloat16> values) {
  alignas(64) uint16_t codes[kMostCounted] = {};
  std::transform(values.begin(), values.end(), codes, [](BFloat16 value) {
    const auto code = static_cast<uint16_t>(value);
    return code == 0x8000 ? uint16_t{0} : code;
  });
  return HWY_DYNAMIC_DISPATCH(CountFirst16)(codes, values.size());
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
