#include "weights/elements/element_types.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <type_traits>

#include "numerics/half_floats.h"
#include "weights/elements/ggml_types.h"
#include "weights/elements/minifloat.h"

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored bytes are read as they are");

// Loops over a fixed number of elements in a local array: the compiler vectorises them at -O2,
// because it knows the length and that nothing overlaps.
// `convert` is a lambda and not a function's name: a pointer would not be inlined.
constexpr size_t kBlockElements = 64;

template <typename Stored, typename Convert>
void DecodeBlocks(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  assert(bytes.size() == out.size() * sizeof(Stored));
  std::array<Stored, kBlockElements> block;
  size_t i = 0;
  for (; i + kBlockElements <= out.size(); i += kBlockElements) {
    std::memcpy(block.data(), bytes.data() + i * sizeof(Stored), sizeof(block));
    std::array<float, kBlockElements> decoded;
    for (size_t j = 0; j < kBlockElements; ++j) decoded[j] = convert(block[j]);
    std::memcpy(out.data() + i, decoded.data(), sizeof(decoded));
  }
  for (; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

// Rounds to nearest, the processor's default; a double beyond float32 becomes infinity.
template <typename Number>
void DecodeNumbers(std::span<const std::byte> bytes, std::span<float> out) {
  DecodeBlocks<Number>(bytes, out, [](Number number) { return static_cast<float>(number); });
}

template <size_t kCodes, typename ValueOf>
constexpr std::array<float, kCodes> TableOf(ValueOf value_of) {
  std::array<float, kCodes> table = {};
  for (uint32_t code = 0; code < kCodes; ++code) table[code] = value_of(code);
  return table;
}

template <const MinifloatFormat& kFormat>
constexpr auto kTableOf = TableOf<(2u << (kFormat.exponent_bits + kFormat.fraction_bits))>(
    [](uint32_t code) { return MinifloatValue(kFormat, code); });
constexpr auto kE8M0Table = TableOf<256>(E8M0Value);

void DecodeTable(const std::array<float, 256>& table, std::span<const std::byte> bytes,
                 std::span<float> out) {
  DecodeBlocks<uint8_t>(bytes, out, [&](uint8_t code) { return table[code]; });
}

void DecodeF4(std::span<const std::byte> bytes, std::span<float> out) {
  const auto& table = kTableOf<kF4E2M1>;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto pair = static_cast<unsigned>(bytes[i / 2]);
    out[i] = table[i % 2 == 0 ? pair & 0xF : pair >> 4];
  }
}

// Four elements in three bytes.
void DecodeF6(const std::array<float, 64>& table, std::span<const std::byte> bytes,
              std::span<float> out) {
  for (size_t i = 0; i < out.size(); i += 4) {
    const size_t first_byte = i / 4 * 3;
    uint32_t group = 0;
    for (size_t b = 0; b < std::min<size_t>(3, bytes.size() - first_byte); ++b) {
      group |= static_cast<uint32_t>(bytes[first_byte + b]) << (8 * b);
    }
    for (size_t j = 0; j < std::min<size_t>(4, out.size() - i); ++j) {
      out[i + j] = table[group >> (6 * j) & 0x3F];
    }
  }
}

}  // namespace

bool IsReal(DType dtype) { return dtype != DType::kC64; }

unsigned ElementsPerGroup(DType dtype) {
  if (IsBlockType(dtype)) return InfoOf(dtype).block_elements;
  switch (InfoOf(dtype).bits) {
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 1;
  }
}

unsigned BytesPerGroup(DType dtype) {
  if (IsBlockType(dtype)) return InfoOf(dtype).block_bytes;
  return ElementsPerGroup(dtype) * InfoOf(dtype).bits / 8;
}

void DecodeToFloat32(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  if (IsBlockType(dtype)) return DecodeGgmlBlocks(dtype, bytes, out);
  assert(bytes.size() == (out.size() * InfoOf(dtype).bits + 7) / 8);
  switch (dtype) {
    case DType::kBool:
      return DecodeBlocks<uint8_t>(bytes, out, [](uint8_t b) { return b != 0 ? 1.0f : 0.0f; });
    case DType::kF4:
      return DecodeF4(bytes, out);
    case DType::kF6E2M3:
      return DecodeF6(kTableOf<kF6E2M3>, bytes, out);
    case DType::kF6E3M2:
      return DecodeF6(kTableOf<kF6E3M2>, bytes, out);
    case DType::kU8:
      return DecodeNumbers<uint8_t>(bytes, out);
    case DType::kI8:
      return DecodeNumbers<int8_t>(bytes, out);
    case DType::kF8E5M2:
      return DecodeTable(kTableOf<kF8E5M2>, bytes, out);
    case DType::kF8E4M3:
      return DecodeTable(kTableOf<kF8E4M3>, bytes, out);
    case DType::kF8E8M0:
      return DecodeTable(kE8M0Table, bytes, out);
    case DType::kF8E4M3Fnuz:
      return DecodeTable(kTableOf<kF8E4M3Fnuz>, bytes, out);
    case DType::kF8E5M2Fnuz:
      return DecodeTable(kTableOf<kF8E5M2Fnuz>, bytes, out);
    case DType::kI16:
      return DecodeNumbers<int16_t>(bytes, out);
    case DType::kU16:
      return DecodeNumbers<uint16_t>(bytes, out);
    case DType::kF16:
      return DecodeHalfFloats(bytes, out);
    case DType::kBF16:
      return DecodeBrainFloats(bytes, out);
    case DType::kI32:
      return DecodeNumbers<int32_t>(bytes, out);
    case DType::kU32:
      return DecodeNumbers<uint32_t>(bytes, out);
    case DType::kF32:
      if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case DType::kF64:
      return DecodeNumbers<double>(bytes, out);
    case DType::kI64:
      return DecodeNumbers<int64_t>(bytes, out);
    case DType::kU64:
      return DecodeNumbers<uint64_t>(bytes, out);
    default:
      assert(false && "complex numbers have no float32 value");
  }
}

}  // namespace tensorguard::internal
