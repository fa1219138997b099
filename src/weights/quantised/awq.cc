// Two ways of packing 4 bit. "GEMM": `qweight` [inputs, outputs / 8] and `qzeros` [groups,
// outputs / 8], eight outputs in a word in the order 0 2 4 6 1 3 5 7, `scales` [groups, outputs].
// "GEMV": `qweight` [outputs, inputs / 8], `qzeros` [outputs, words], `scales` [outputs, groups],
// in order, the last two padded. Weight = (code - zero point) * scale.
#include "weights/quantised/awq.h"

#include <fmt/format.h>

#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kBits = 4;
constexpr unsigned kCodesPerWord = 8;
constexpr uint64_t kRowsTogether = 64;
// Where each of eight outputs lies in its word.
constexpr std::array<uint8_t, 8> kGemmPlaces = {0, 4, 1, 5, 2, 6, 3, 7};

Error DoesNotFit(const SchemeInput& input, const AwqParts& parts) {
  return Contradiction(
      input.stored[parts.codes], "shapes of codes, zero points and scales do not fit each other",
      fmt::format("codes {}, scales {}", ShapeText(input.stored[parts.codes].shape),
                  ShapeText(input.stored[parts.scales].shape)),
      "GPTQ of 2, 3, 4 or 8 bits or AWQ of 4 bits, packed for GEMM or GEMV");
}

Result<void> CheckConfig(const SchemeInput& input, const AwqParts& parts) {
  const std::string version = input.config.Text("version");
  if (!version.empty() && version != "gemm" && version != "gemv" && version != "exllama" &&
      version != "ipex") {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "AWQ weights packed for this kernel are not read",
                 .file = input.stored[parts.codes].file,
                 .tensor = input.stored[parts.codes].name,
                 .found = "version " + version,
                 .expected = "gemm or gemv",
                 .advice = "use the float16 model, or pack it again with AutoAWQ's GEMM"};
  }
  for (const char* key : {"bits", "w_bit"}) {
    const auto bits = input.config.Number(key);
    if (!bits || *bits == kBits) continue;
    return Contradiction(
        input.stored[parts.codes], "config and tensors disagree about the quantisation",
        "4 bits by the tensors", fmt::format("{}, as {} says", *bits, input.config.file));
  }
  return {};
}

Result<uint64_t> GroupSizeOf(const SchemeInput& input, const AwqParts& parts, uint64_t columns,
                             uint64_t groups) {
  for (const char* key : {"group_size", "q_group_size"}) {
    const auto stated = input.config.Number(key);
    if (!stated || *stated == 0 || columns / *stated == groups) continue;
    return Contradiction(input.stored[parts.codes],
                         "config and tensors disagree about the quantisation",
                         fmt::format("{} groups for {} inputs", groups, columns),
                         fmt::format("groups of {}, as {} says", *stated, input.config.file));
  }
  if (groups > columns || columns % groups != 0) return DoesNotFit(input, parts);
  return columns / groups;
}

std::optional<QuantisedTensor> Finish(const SchemeInput& input, const AwqParts& parts,
                                      uint64_t rows, GroupedTensor grouped) {
  grouped.groups.matrix_rows = rows;
  grouped.result = ResultOfScales(input.stored[parts.scales].dtype);
  auto tensor = MakeQuantised(input, parts.module + ".weight", grouped.result,
                              {rows, grouped.columns}, {parts.codes, parts.scales, *parts.zeros},
                              fmt::format("AWQ 4 bit, groups of {}", grouped.groups.block_columns));
  tensor.decoder = MakeGroupedDecoder(grouped);
  if (grouped.codes.input_major) tensor.rows_together = kRowsTogether;
  return tensor;
}

Result<std::optional<QuantisedTensor>> ReadGemm(const SchemeInput& input, const AwqParts& parts,
                                                const MatrixShape& codes, const MatrixShape& scales,
                                                const MatrixShape& zeros) {
  TG_ASSIGN(const auto group_size, GroupSizeOf(input, parts, codes.rows, scales.rows));
  if (zeros.rows != scales.rows || zeros.columns != codes.columns) return DoesNotFit(input, parts);
  const auto packed = [&](size_t tensor) {
    return OrientedGrid{MakePackedGrid({.tensor = tensor,
                                        .word_columns = codes.columns,
                                        .bits = kBits,
                                        .codes_per_word = kCodesPerWord,
                                        .places = kGemmPlaces,
                                        .table = IntegerTable()}),
                        true};
  };
  return Finish(
      input, parts, scales.columns,
      {.columns = codes.rows,
       .codes = packed(parts.codes),
       .scales = {MakePlainGrid({.tensor = parts.scales, .columns = scales.columns}), true},
       .zeros = packed(*parts.zeros),
       .groups = {.block_columns = group_size, .column_count = scales.rows}});
}

// Scales and zero points are padded with groups that no input has.
Result<std::optional<QuantisedTensor>> ReadGemv(const SchemeInput& input, const AwqParts& parts,
                                                const MatrixShape& codes, const MatrixShape& scales,
                                                const MatrixShape& zeros) {
  const uint64_t columns = codes.columns * kCodesPerWord;
  const auto stated = input.config.Number("group_size");
  const uint64_t group_size = stated && *stated > 0 ? *stated : columns;
  const uint64_t groups = (columns + group_size - 1) / group_size;
  if (zeros.rows != codes.rows || zeros.columns * kCodesPerWord != scales.columns ||
      scales.columns < groups || !stated) {
    return DoesNotFit(input, parts);
  }
  const auto packed = [&](size_t tensor, uint64_t word_columns) {
    return OrientedGrid{MakePackedGrid({.tensor = tensor,
                                        .word_columns = word_columns,
                                        .bits = kBits,
                                        .table = IntegerTable()}),
                        false};
  };
  return Finish(
      input, parts, codes.rows,
      {.columns = columns,
       .codes = packed(parts.codes, codes.columns),
       .scales = {MakePlainGrid({.tensor = parts.scales, .columns = scales.columns}), false},
       .zeros = packed(*parts.zeros, zeros.columns),
       .groups = {.block_columns = group_size, .column_count = groups}});
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadAwq(const SchemeInput& input, const AwqParts& parts,
                                               const MatrixShape& codes,
                                               const MatrixShape& scales) {
  TG_TRY(CheckConfig(input, parts));
  TG_ASSIGN(const auto zero_tensor, PartOf(input, parts.codes, parts.module + ".qzeros"));
  TG_ASSIGN(const auto zeros, MatrixShapeOf(input.stored[zero_tensor]));
  if (zeros.matrices != 1) return DoesNotFit(input, parts);
  if (codes.columns * kCodesPerWord == scales.columns) {
    return ReadGemm(input, parts, codes, scales, zeros);
  }
  if (codes.rows == scales.rows) return ReadGemv(input, parts, codes, scales, zeros);
  return DoesNotFit(input, parts);
}

}  // namespace tensorguard::internal
