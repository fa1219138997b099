// float32 numbers to the bytes of narrower types.
#ifndef TENSORGUARD_NUMERICS_ENCODE_FLOATS_H_
#define TENSORGUARD_NUMERICS_ENCODE_FLOATS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "safetensors/dtype.h"

namespace tensorguard::internal {

// Bits of the nearest number of that type, ties to even. What is too large becomes infinity, a NaN
// stays one.
uint16_t ToFloat16Bits(float value);
uint16_t ToBfloat16Bits(float value);

// Encodes `values` as F32, F16 or BF16, little-endian. Gives the index of the first finite value
// that has become infinity, empty if there is none. REQUIRES: `out` has exactly as many bytes as
// the values take; dtype is one of the three.
std::optional<size_t> EncodeFloats(DType dtype, std::span<const float> values,
                                   std::span<std::byte> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_ENCODE_FLOATS_H_
