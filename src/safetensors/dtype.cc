#include "safetensors/dtype.h"

#include <algorithm>
#include <array>

namespace tensorguard::internal {
namespace {

constexpr std::array kDTypes = std::to_array<DTypeInfo>({
    {DType::kBool, "BOOL", 8},
    {DType::kF4, "F4", 4},
    {DType::kF6E2M3, "F6_E2M3", 6},
    {DType::kF6E3M2, "F6_E3M2", 6},
    {DType::kU8, "U8", 8},
    {DType::kI8, "I8", 8},
    {DType::kF8E5M2, "F8_E5M2", 8},
    {DType::kF8E4M3, "F8_E4M3", 8},
    {DType::kF8E8M0, "F8_E8M0", 8},
    {DType::kF8E4M3Fnuz, "F8_E4M3FNUZ", 8},
    {DType::kF8E5M2Fnuz, "F8_E5M2FNUZ", 8},
    {DType::kI16, "I16", 16},
    {DType::kU16, "U16", 16},
    {DType::kF16, "F16", 16},
    {DType::kBF16, "BF16", 16},
    {DType::kI32, "I32", 32},
    {DType::kU32, "U32", 32},
    {DType::kF32, "F32", 32},
    {DType::kC64, "C64", 64},
    {DType::kF64, "F64", 64},
    {DType::kI64, "I64", 64},
    {DType::kU64, "U64", 64},
});

// Names as llama.cpp spells them; sizes as its block structures have them.
constexpr std::array kBlockTypes = std::to_array<DTypeInfo>({
    {DType::kQ1_0, "Q1_0", 0, 128, 18},      {DType::kQ2_0, "Q2_0", 0, 64, 18},
    {DType::kQ4_0, "Q4_0", 0, 32, 18},       {DType::kQ4_1, "Q4_1", 0, 32, 20},
    {DType::kQ5_0, "Q5_0", 0, 32, 22},       {DType::kQ5_1, "Q5_1", 0, 32, 24},
    {DType::kQ8_0, "Q8_0", 0, 32, 34},       {DType::kQ2K, "Q2_K", 0, 256, 84},
    {DType::kQ3K, "Q3_K", 0, 256, 110},      {DType::kQ4K, "Q4_K", 0, 256, 144},
    {DType::kQ5K, "Q5_K", 0, 256, 176},      {DType::kQ6K, "Q6_K", 0, 256, 210},
    {DType::kQ8K, "Q8_K", 0, 256, 292},      {DType::kIq1S, "IQ1_S", 0, 256, 50},
    {DType::kIq1M, "IQ1_M", 0, 256, 56},     {DType::kIq2Xxs, "IQ2_XXS", 0, 256, 66},
    {DType::kIq2Xs, "IQ2_XS", 0, 256, 74},   {DType::kIq2S, "IQ2_S", 0, 256, 82},
    {DType::kIq3Xxs, "IQ3_XXS", 0, 256, 98}, {DType::kIq3S, "IQ3_S", 0, 256, 110},
    {DType::kIq4Nl, "IQ4_NL", 0, 32, 18},    {DType::kIq4Xs, "IQ4_XS", 0, 256, 136},
    {DType::kTq1_0, "TQ1_0", 0, 256, 54},    {DType::kTq2_0, "TQ2_0", 0, 256, 66},
    {DType::kMxfp4, "MXFP4", 0, 32, 17},     {DType::kNvfp4, "NVFP4", 0, 64, 36},
});

}  // namespace

std::span<const DTypeInfo> AllDTypes() { return kDTypes; }

std::span<const DTypeInfo> AllBlockTypes() { return kBlockTypes; }

const DTypeInfo& InfoOf(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < kDTypes.size() ? kDTypes[index] : kBlockTypes[index - kDTypes.size()];
}

bool IsBlockType(DType dtype) { return InfoOf(dtype).block_elements != 0; }

std::optional<DType> DTypeFromName(std::string_view name) {
  const auto found = std::find_if(kDTypes.begin(), kDTypes.end(),
                                  [&](const DTypeInfo& info) { return info.name == name; });
  if (found == kDTypes.end()) return {};
  return found->dtype;
}

}  // namespace tensorguard::internal
