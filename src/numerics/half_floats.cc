#include "numerics/half_floats.h"

#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numerics/half_floats.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The upper half of a float32.
template <class D>
HWY_INLINE hn::Vec<D> WidenBrain(D, hn::Vec<D> brain) {
  return hn::ShiftLeft<16>(brain);
}

// A normal number needs its exponent moved from one bias to the other, infinity and NaN once more;
// a subnormal one is put below an implicit one, which is then subtracted (exact in float32).
template <class D>
HWY_INLINE hn::Vec<D> WidenHalf(D d, hn::Vec<D> half) {
  const hn::Repartition<float, D> d_float;
  const auto rebias = hn::Set(d, (127u - 15u) << 23);
  const auto smallest_normal = hn::Set(d, (127u - 14u) << 23);
  const auto magnitude = hn::ShiftLeft<13>(hn::And(half, hn::Set(d, 0x7FFFu)));
  const auto sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(d, 0x8000u)));
  const auto is_special = hn::Gt(magnitude, hn::Set(d, 0x7BFFu << 13));
  const auto is_subnormal = hn::Lt(magnitude, hn::Set(d, 1u << 23));
  const auto rebiased = hn::Add(magnitude, rebias);
  const auto normal = hn::IfThenElse(is_special, hn::Add(rebiased, rebias), rebiased);
  const auto subnormal =
      hn::BitCast(d, hn::Sub(hn::BitCast(d_float, hn::Add(magnitude, smallest_normal)),
                             hn::BitCast(d_float, smallest_normal)));
  return hn::Or(sign, hn::IfThenElse(is_subnormal, subnormal, normal));
}

template <class Widen>
HWY_INLINE void DecodeAll(const uint16_t* codes, float* out, size_t count, const Widen& widen) {
  const hn::ScalableTag<uint32_t> d;
  const hn::Rebind<uint16_t, decltype(d)> d_stored;
  const hn::Repartition<float, decltype(d)> d_float;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto stored = hn::LoadU(d_stored, codes + i);
    hn::StoreU(hn::BitCast(d_float, widen(d, hn::PromoteTo(d, stored))), d_float, out + i);
  }
  if (i == count) return;
  HWY_ALIGN uint16_t rest[HWY_MAX_BYTES / sizeof(uint16_t)] = {};
  HWY_ALIGN float decoded[HWY_MAX_BYTES / sizeof(float)];
  std::memcpy(rest, codes + i, (count - i) * sizeof(uint16_t));
  hn::StoreU(hn::BitCast(d_float, widen(d, hn::PromoteTo(d, hn::LoadU(d_stored, rest)))), d_float,
             decoded);
  std::memcpy(out + i, decoded, (count - i) * sizeof(float));
}

void DecodeBrainFloatsImpl(const uint16_t* codes, float* out, size_t count) {
  DecodeAll(codes, out, count, [](auto d, auto stored) { return WidenBrain(d, stored); });
}

void DecodeHalfFloatsImpl(const uint16_t* codes, float* out, size_t count) {
  DecodeAll(codes, out, count, [](auto d, auto stored) { return WidenHalf(d, stored); });
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {

// The loads are unaligned ones, so that any byte address will do.
HWY_EXPORT(DecodeBrainFloatsImpl);
HWY_EXPORT(DecodeHalfFloatsImpl);

void DecodeBrainFloats(std::span<const std::byte> bytes, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(DecodeBrainFloatsImpl)
  (reinterpret_cast<const uint16_t*>(bytes.data()), out.data(), out.size());
}

void DecodeHalfFloats(std::span<const std::byte> bytes, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(DecodeHalfFloatsImpl)
  (reinterpret_cast<const uint16_t*>(bytes.data()), out.data(), out.size());
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
