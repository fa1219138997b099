// Stored elements to float32.
#ifndef TENSORGUARD_WEIGHTS_ELEMENTS_ELEMENT_TYPES_H_
#define TENSORGUARD_WEIGHTS_ELEMENTS_ELEMENT_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "safetensors/dtype.h"

namespace tensorguard::internal {

// Whether the type's elements have a float32 value (all but complex C64).
bool IsReal(DType dtype);

// Elements that share whole bytes: 2 for F4, 4 for the six-bit types, a block of a block type, else
// 1. A read must start at a multiple of it.
unsigned ElementsPerGroup(DType dtype);

// Of such a group.
unsigned BytesPerGroup(DType dtype);

// The largest groups are of 256 elements, of at most this many bytes.
inline constexpr unsigned kMostGroupElements = 256;
inline constexpr unsigned kMostGroupBytes = 292;

// Decodes `out.size()` elements from little-endian `bytes`, which hold exactly that many (rounded
// up to whole bytes). Integers and F64 round to nearest; a BOOL is 0 or 1. Packed types: the first
// element is in the lowest bits (OCP Microscaling Formats 1.0, section 5.3, for the values). Block
// types: as DecodeGgmlBlocks. REQUIRES: IsReal(dtype); whole blocks of block types.
void DecodeToFloat32(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

// The same, one element at a time by the definition of each type: the reference for tests.
// REQUIRES: !IsBlockType(dtype).
void DecodeToFloat32Reference(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ELEMENTS_ELEMENT_TYPES_H_
