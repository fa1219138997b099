// Element types of the safetensors format.
#ifndef TENSORGUARD_FORMATS_DTYPE_H_
#define TENSORGUARD_FORMATS_DTYPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tensorguard {

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
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;  // as the format spells it, "BF16"
  unsigned bits;          // per element; 4- and 6-bit types are packed without gaps
};

// All types, in the order of the enum.
std::span<const DTypeInfo> AllDTypes();

const DTypeInfo& InfoOf(DType dtype);

// Empty if the format has no type of that name. Case matters, as in the format.
std::optional<DType> DTypeFromName(std::string_view name);

}  // namespace tensorguard

#endif  // TENSORGUARD_FORMATS_DTYPE_H_
