#include <bit>
#include <cassert>
#include <cstring>

#include "weights/elements/element_types.h"
#include "weights/elements/minifloat.h"

namespace tensorguard::internal {
namespace {

// The `bits` bits of element `index`, least significant bit first.
uint64_t ElementBits(std::span<const std::byte> bytes, size_t index, unsigned bits) {
  uint64_t code = 0;
  for (unsigned i = 0; i < bits; ++i) {
    const size_t position = index * bits + i;
    const auto byte = static_cast<unsigned>(bytes[position / 8]);
    code |= static_cast<uint64_t>(byte >> (position % 8) & 1) << i;
  }
  return code;
}

float ValueOf(DType dtype, uint64_t code) {
  const auto low = static_cast<uint32_t>(code);
  switch (dtype) {
    case DType::kBool:
      return code != 0 ? 1 : 0;
    case DType::kF4:
      return MinifloatValue(kF4E2M1, low);
    case DType::kF6E2M3:
      return MinifloatValue(kF6E2M3, low);
    case DType::kF6E3M2:
      return MinifloatValue(kF6E3M2, low);
    case DType::kF8E5M2:
      return MinifloatValue(kF8E5M2, low);
    case DType::kF8E4M3:
      return MinifloatValue(kF8E4M3, low);
    case DType::kF8E8M0:
      return E8M0Value(low);
    case DType::kF8E4M3Fnuz:
      return MinifloatValue(kF8E4M3Fnuz, low);
    case DType::kF8E5M2Fnuz:
      return MinifloatValue(kF8E5M2Fnuz, low);
    case DType::kF16:
      return MinifloatValue(kF16, low);
    case DType::kBF16:
      return MinifloatValue(kBF16, low);
    case DType::kF32:
      return std::bit_cast<float>(low);
    case DType::kF64:
      return static_cast<float>(std::bit_cast<double>(code));
    case DType::kI8:
      return static_cast<float>(static_cast<int8_t>(code));
    case DType::kI16:
      return static_cast<float>(static_cast<int16_t>(code));
    case DType::kI32:
      return static_cast<float>(static_cast<int32_t>(code));
    case DType::kI64:
      return static_cast<float>(static_cast<int64_t>(code));
    case DType::kU8:
    case DType::kU16:
    case DType::kU32:
    case DType::kU64:
      return static_cast<float>(code);
    default:
      break;
  }
  assert(false && "complex numbers and blocks have no value for one element");
  return std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

void DecodeToFloat32Reference(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  const unsigned bits = InfoOf(dtype).bits;
  for (size_t i = 0; i < out.size(); ++i) out[i] = ValueOf(dtype, ElementBits(bytes, i, bits));
}

}  // namespace tensorguard::internal
