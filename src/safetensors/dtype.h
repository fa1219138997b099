// Element types of the weight formats: safetensors' own, and GGUF's block types.
#ifndef TENSORGUARD_SAFETENSORS_DTYPE_H_
#define TENSORGUARD_SAFETENSORS_DTYPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tensorguard::internal {

enum class DType {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
  // GGUF's block types: a block of elements shares its scales.
  kQ1_0,
  kQ2_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
  kQ8K,
  kIq1S,
  kIq1M,
  kIq2Xxs,
  kIq2Xs,
  kIq2S,
  kIq3Xxs,
  kIq3S,
  kIq4Nl,
  kIq4Xs,
  kTq1_0,
  kTq2_0,
  kMxfp4,
  kNvfp4,
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;  // as the format spells it, "BF16"
  unsigned bits;          // per element; 4- and 6-bit types are packed without gaps; 0: in blocks
  // Of block types; a tensor's rows are whole blocks. Others: 0.
  unsigned block_elements = 0;
  unsigned block_bytes = 0;
};

// The types of safetensors, in the order of the enum.
std::span<const DTypeInfo> AllDTypes();

// GGUF's block types, in the order of the enum.
std::span<const DTypeInfo> AllBlockTypes();

const DTypeInfo& InfoOf(DType dtype);

// Whether elements lie in blocks with scales of their own.
bool IsBlockType(DType dtype);

// Empty if safetensors has no type of that name. Case matters, as in the format.
std::optional<DType> DTypeFromName(std::string_view name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_DTYPE_H_
