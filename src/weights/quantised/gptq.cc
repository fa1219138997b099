// GPTQ as AutoGPTQ and GPTQModel pack it (also AutoRound's export): `qweight` [inputs * bits / 32,
// outputs] holds codes along the inputs, `qzeros` [groups, outputs * bits / 32] zero points along
// the outputs, `scales` [groups, outputs], and `g_idx` [inputs] the group of each input. Version 1
// stores zero points less one. Weight = (code - zero point) * scale.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.h"
#include "weights/quantised/awq.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<uint64_t, 4> kBits = {2, 3, 4, 8};
constexpr uint64_t kRowsTogether = 64;

struct Parts {
  std::string module;
  size_t codes;
  size_t scales;
  std::optional<size_t> zeros;
  std::optional<size_t> groups;
};

// Whether single modules may have other numbers than the whole.
bool HasOverrides(const QuantisationConfig& config) {
  for (const char* key : {"dynamic", "extra_config", "modules_in_block_to_quantize"}) {
    if (config.settings.is_object() && config.settings.contains(key)) return true;
  }
  return false;
}

// Other names may be those of quantisers that pack as these do.
bool StatesAnotherMethod(const QuantisationConfig& config) {
  constexpr std::array kOthers = {"bitsandbytes", "compressed-tensors", "fp8",   "fbgemm_fp8",
                                  "hqq",          "modelopt",           "mxfp4", "bitnet"};
  return std::find(kOthers.begin(), kOthers.end(), config.method) != kOthers.end();
}

Error NotBits(const SchemeInput& input, const Parts& parts) {
  const TensorInfo& codes = input.stored[parts.codes];
  return Contradiction(codes, "shapes of codes, zero points and scales do not fit each other",
                       fmt::format("codes {}, scales {}", ShapeText(codes.shape),
                                   ShapeText(input.stored[parts.scales].shape)),
                       "GPTQ of 2, 3, 4 or 8 bits or AWQ of 4 bits");
}

// Bits of a code, from the width of the zero points.
Result<uint64_t> BitsOf(const SchemeInput& input, const Parts& parts, const MatrixShape& scales) {
  const auto stated = input.config.Number("bits");
  uint64_t bits = stated.value_or(0);
  if (parts.zeros) {
    TG_ASSIGN(const auto zeros, MatrixShapeOf(input.stored[*parts.zeros]));
    if (zeros.rows != scales.rows || zeros.columns * 32 % scales.columns != 0) {
      return NotBits(input, parts);
    }
    bits = zeros.columns * 32 / scales.columns;
  }
  if (std::find(kBits.begin(), kBits.end(), bits) == kBits.end()) return NotBits(input, parts);
  if (stated && *stated != bits && !HasOverrides(input.config)) {
    return Contradiction(input.stored[parts.codes],
                         "config and tensors disagree about the quantisation",
                         fmt::format("{} bits by the tensors", bits),
                         fmt::format("{}, as {} says", *stated, input.config.file));
  }
  return bits;
}

// Columns that share a scale.
Result<uint64_t> GroupSizeOf(const SchemeInput& input, const Parts& parts, uint64_t columns,
                             uint64_t groups) {
  const auto stated = input.config.Number("group_size");
  if (stated && *stated > 0) {
    if ((columns + *stated - 1) / *stated == groups) return *stated;
    if (!HasOverrides(input.config)) {
      return Contradiction(input.stored[parts.codes],
                           "config and tensors disagree about the quantisation",
                           fmt::format("{} groups for {} inputs", groups, columns),
                           fmt::format("groups of {}, as {} says", *stated, input.config.file));
    }
  }
  if (groups > columns) return NotBits(input, parts);
  return (columns + groups - 1) / groups;
}

// What is stored for the first zero point.
Result<uint32_t> FirstZero(const SchemeInput& input, size_t zeros, uint64_t bits) {
  uint32_t word = 0;
  TG_TRY(input.stored.source().ReadBytes(zeros, 0, std::as_writable_bytes(std::span(&word, 1))));
  return word & ((1u << bits) - 1);
}

// Whether zero points are stored as they are, not less one. Symmetric codes have theirs in the
// middle, which tells where nothing is stated.
Result<bool> IsVersion2(const SchemeInput& input, size_t zeros, uint64_t bits) {
  const std::string format = input.config.Text("checkpoint_format");
  const bool stated = format == "gptq_v2";
  if (!input.config.Flag("sym").value_or(false)) return stated;
  const auto first = FirstZero(input, zeros, bits);
  if (!first) return first.error();
  const uint32_t middle = 1u << (bits - 1);
  const bool version2 = *first == middle;
  if ((!version2 && *first != middle - 1) || (!format.empty() && version2 != stated)) {
    return Contradiction(
        input.stored[zeros], "zero points are not those of symmetric codes",
        fmt::format("{} for the first", *first),
        fmt::format("{}, because {} says that codes are symmetric{}", stated ? middle : middle - 1,
                    input.config.file, format.empty() ? "" : ", format " + format));
  }
  return version2;
}

// As AutoGPTQ's kernels: the one is added within the bits of a code.
CodeTable ZeroTable(uint64_t bits, bool version2) {
  const uint32_t mask = (1u << bits) - 1;
  return TableOfCodes(static_cast<unsigned>(bits), [&](uint32_t code) {
    return static_cast<float>(version2 ? code : (code + 1) & mask);
  });
}

Result<OrientedGrid> ZerosOf(const SchemeInput& input, const Parts& parts, uint64_t bits) {
  if (!parts.zeros) {
    return Contradiction(input.stored[parts.codes], "a quantised weight lacks one of its tensors",
                         "no zero points", parts.module + ".qzeros");
  }
  TG_ASSIGN(const auto version2, IsVersion2(input, *parts.zeros, bits));
  return OrientedGrid{MakePackedGrid({.tensor = *parts.zeros,
                                      .word_columns = input.stored[*parts.zeros].shape.back(),
                                      .bits = static_cast<unsigned>(bits),
                                      .table = ZeroTable(bits, version2)}),
                      true};
}

Result<void> CheckTypes(const SchemeInput& input, const Parts& parts) {
  const auto is_word = [](DType type) { return type == DType::kI32 || type == DType::kU32; };
  const auto check = [&](std::optional<size_t> part, bool fits,
                         const char* expected) -> Result<void> {
    if (!part || fits) return {};
    return Contradiction(input.stored[*part], "a quantised weight's tensor has another type",
                         std::string(InfoOf(input.stored[*part].dtype).name), expected);
  };
  const auto dtype = [&](size_t part) { return input.stored[part].dtype; };
  if (auto codes = check(parts.codes, is_word(dtype(parts.codes)), "I32"); !codes) return codes;
  const bool floats = dtype(parts.scales) == DType::kF16 || dtype(parts.scales) == DType::kBF16 ||
                      dtype(parts.scales) == DType::kF32;
  if (auto scales = check(parts.scales, floats, "F16, BF16 or F32"); !scales) return scales;
  const bool zeros = !parts.zeros || is_word(dtype(*parts.zeros));
  if (auto checked = check(parts.zeros, zeros, "I32"); !checked) return checked;
  const bool groups = !parts.groups || dtype(*parts.groups) == DType::kI32;
  return check(parts.groups, groups, "I32");
}

Result<std::optional<QuantisedTensor>> ReadGptq(const SchemeInput& input, const Parts& parts,
                                                const MatrixShape& codes,
                                                const MatrixShape& scales) {
  TG_ASSIGN(const auto bits, BitsOf(input, parts, scales));
  if (codes.rows * 32 % bits != 0) return NotBits(input, parts);
  const uint64_t columns = codes.rows * 32 / bits;
  TG_ASSIGN(const auto group_size, GroupSizeOf(input, parts, columns, scales.rows));
  if (!parts.groups && scales.rows > 1 && input.config.Flag("desc_act").value_or(false) &&
      !HasOverrides(input.config)) {
    return LacksPart(input.stored[parts.codes], parts.module + ".g_idx");
  }
  if (parts.groups &&
      (input.stored[*parts.groups].element_count != columns || columns > kMostReorderedColumns)) {
    return Contradiction(input.stored[*parts.groups], "there is not one group for each input",
                         ShapeText(input.stored[*parts.groups].shape),
                         fmt::format("[{}]", columns));
  }
  TG_ASSIGN(auto zeros, ZerosOf(input, parts, bits));
  GroupedTensor grouped = {
      .columns = columns,
      .codes = {MakePackedGrid({.tensor = parts.codes,
                                .word_columns = codes.columns,
                                .bits = static_cast<unsigned>(bits),
                                .along_rows = true,
                                .table = IntegerTable()}),
                true},
      .scales = {MakePlainGrid({.tensor = parts.scales, .columns = scales.columns}), true},
      .zeros = std::move(zeros),
      .groups = {.matrix_rows = codes.columns,
                 .block_columns = group_size,
                 .column_count = scales.rows,
                 .column_groups = parts.groups},
      .result = ResultOfScales(input.stored[parts.scales].dtype)};
  std::vector<size_t> used = {parts.codes, parts.scales, *parts.zeros};
  if (parts.groups) used.push_back(*parts.groups);
  auto tensor =
      MakeQuantised(input, parts.module + ".weight", grouped.result, {codes.columns, columns},
                    std::move(used), fmt::format("GPTQ {} bit, groups of {}", bits, group_size));
  tensor.decoder = MakeGroupedDecoder(grouped);
  tensor.rows_together = kRowsTogether;
  return std::optional(std::move(tensor));
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadGptqOrAwq(const SchemeInput& input, size_t tensor) {
  const auto module = WithoutEnding(input.stored[tensor].name, ".qweight");
  if (!module) return std::optional<QuantisedTensor>();
  TG_ASSIGN(const auto scales, PartOf(input, tensor, *module + ".scales"));
  const Parts parts = {*module, tensor, scales, input.stored.Find(*module + ".qzeros"),
                       input.stored.Find(*module + ".g_idx")};
  TG_TRY(CheckTypes(input, parts));
  TG_ASSIGN(const auto code_shape, MatrixShapeOf(input.stored[tensor]));
  TG_ASSIGN(const auto scale_shape, MatrixShapeOf(input.stored[scales]));
  if (code_shape.matrices != 1 || scale_shape.matrices != 1) return NotBits(input, parts);
  const bool gptq = code_shape.columns == scale_shape.columns;
  const bool awq_stated = input.config.method == "awq" ||
                          input.config.Text("packing_format").find("awq") != std::string::npos;
  const bool gptq_stated = input.config.method == "gptq" ||
                           input.config.Text("packing_format").find("gptq") != std::string::npos;
  if (StatesAnotherMethod(input.config)) {
    return Contradiction(input.stored[tensor], "config and tensors disagree about the quantisation",
                         "codes packed as GPTQ or AWQ packs them",
                         fmt::format("{}, as {} says", input.config.method, input.config.file));
  }
  if ((gptq && awq_stated && input.config.Text("version") != "gemv") || (!gptq && gptq_stated)) {
    return Contradiction(
        input.stored[tensor], "config and tensors disagree about the quantisation",
        gptq ? "codes packed as GPTQ packs them" : "codes not packed as GPTQ's",
        fmt::format("{}, as {} says", gptq_stated ? "GPTQ" : "AWQ", input.config.file));
  }
  if (gptq && !awq_stated) return ReadGptq(input, parts, code_shape, scale_shape);
  return ReadAwq(input, {*module, tensor, scales, parts.zeros}, code_shape, scale_shape);
}

}  // namespace tensorguard::internal
