// Packed formats of compressed-tensors (llm-compressor): `weight_packed` [outputs, words] holds
// floor(32 / bits) codes of a row in a word, each plus 2^(bits - 1); `weight_shape` the shape;
// `weight_scale` [outputs, groups]; `weight_zero_point`, signed, packed along the outputs or one in
// a byte; `weight_g_idx`. As bytes it holds pairs of FP4 with E4M3 scales of 16 (and one divisor
// for all, `weight_global_scale`) or with E8M0 scales of 32. Weight = (code - zero point) * scale.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

struct Parts {
  std::string module;
  size_t codes;
  size_t scales;
};

// Bits that every group of the config states; empty if they differ or nothing is said.
std::optional<uint64_t> StatedBits(const QuantisationConfig& config) {
  std::optional<uint64_t> bits;
  if (!config.settings.is_object() || !config.settings.contains("config_groups") ||
      !config.settings["config_groups"].is_object()) {
    return {};
  }
  for (const Json& group : config.settings["config_groups"]) {
    if (!group.is_object() || !group.contains("weights")) continue;
    const auto stated = NumberIn(group["weights"], "num_bits");
    if (!stated || (bits && *bits != *stated)) return {};
    bits = stated;
  }
  return bits;
}

uint64_t WordsOf(uint64_t columns, uint64_t bits) {
  const uint64_t per_word = 32 / bits;
  return (columns + per_word - 1) / per_word;
}

// Several widths may fill the same words: the config's, else the usual ones first.
Result<uint64_t> BitsOf(const SchemeInput& input, const Parts& parts, uint64_t columns,
                        uint64_t words) {
  const auto stated = StatedBits(input.config);
  if (stated && *stated >= 1 && *stated <= 8 && WordsOf(columns, *stated) == words) return *stated;
  if (!stated) {
    for (const uint64_t bits : {4, 8, 2, 3, 6, 5, 1}) {
      if (WordsOf(columns, bits) == words) return bits;
    }
  }
  return Contradiction(input.stored[parts.codes], "packed codes do not fit the weight's shape",
                       fmt::format("{} words for {} columns", words, columns),
                       stated ? fmt::format("{} bits, as {} says", *stated, input.config.file)
                              : "codes of 1 to 8 bits");
}

Result<uint64_t> GroupSizeOf(const SchemeInput& input, const Parts& parts, uint64_t columns,
                             uint64_t groups) {
  if (groups <= columns) {
    const uint64_t size = (columns + groups - 1) / groups;
    if ((columns + size - 1) / size == groups) return size;
  }
  return Contradiction(input.stored[parts.scales], "scales do not fit the weight's shape",
                       ShapeText(input.stored[parts.scales].shape),
                       fmt::format("groups of {} columns", columns));
}

// Zero points have the scales' shape; packed ones are packed along the outputs.
Result<OrientedGrid> ZerosOf(const SchemeInput& input, size_t tensor, const MatrixShape& scales,
                             uint64_t bits) {
  const TensorInfo& info = input.stored[tensor];
  TG_ASSIGN(const auto shape, MatrixShapeOf(info));
  const bool plain = info.dtype == DType::kI8 && shape.rows == scales.rows;
  const uint64_t per_word = 32 / bits;
  const bool packed =
      info.dtype == DType::kI32 && shape.rows == (scales.rows + per_word - 1) / per_word;
  if (shape.matrices != 1 || shape.columns != scales.columns || (!plain && !packed)) {
    return Contradiction(info, "zero points do not fit the scales",
                         fmt::format("{} {}", InfoOf(info.dtype).name, ShapeText(info.shape)),
                         fmt::format("one for each of {} scales",
                                     ShapeText(std::array{scales.rows, scales.columns})));
  }
  if (plain) return OrientedGrid{MakePlainGrid({.tensor = tensor, .columns = shape.columns})};
  return OrientedGrid{MakePackedGrid({.tensor = tensor,
                                      .word_columns = shape.columns,
                                      .bits = static_cast<unsigned>(bits),
                                      .codes_per_word = static_cast<unsigned>(per_word),
                                      .along_rows = true,
                                      .table = IntegerTable(-(1 << (bits - 1)))})};
}

Result<std::optional<QuantisedTensor>> ReadIntegers(const SchemeInput& input, const Parts& parts,
                                                    const MatrixShape& packed,
                                                    const MatrixShape& scales) {
  TG_ASSIGN(const auto shape_tensor, PartOf(input, parts.codes, parts.module + ".weight_shape"));
  const auto shape = IntegersOf(input, shape_tensor);
  if (!shape) return shape.error();
  if (shape->size() != 2 || (*shape)[0] != packed.rows || (*shape)[1] == 0 ||
      (*shape)[1] > packed.columns * 32 || packed.matrices != 1 || scales.matrices != 1 ||
      (scales.rows != packed.rows && scales.rows != 1)) {
    return Contradiction(
        input.stored[parts.codes], "packed codes do not fit the weight's shape",
        fmt::format("codes {}, weight {}, scales {}x{}", ShapeText(input.stored[parts.codes].shape),
                    ShapeText(*shape), scales.rows, scales.columns),
        "one row of codes and one of scales for each output");
  }
  const uint64_t columns = (*shape)[1];
  TG_ASSIGN(const auto bits, BitsOf(input, parts, columns, packed.columns));
  TG_ASSIGN(const auto group_size, GroupSizeOf(input, parts, columns, scales.columns));
  GroupedTensor grouped = {
      .columns = columns,
      .codes = {MakePackedGrid({.tensor = parts.codes,
                                .word_columns = packed.columns,
                                .bits = static_cast<unsigned>(bits),
                                .codes_per_word = static_cast<unsigned>(32 / bits),
                                .table = IntegerTable(-(1 << (bits - 1)))})},
      .scales = {MakePlainGrid({.tensor = parts.scales, .columns = scales.columns})},
      .groups = {.matrix_rows = packed.rows,
                 .block_rows = scales.rows == 1 ? packed.rows : 1,
                 .block_columns = group_size,
                 .column_count = scales.columns},
      .result = ResultOfScales(input.stored[parts.scales].dtype)};
  std::vector<size_t> used = {parts.codes, parts.scales, shape_tensor};
  if (const auto zeros = input.stored.Find(parts.module + ".weight_zero_point")) {
    TG_ASSIGN(auto grid, ZerosOf(input, *zeros, scales, bits));
    grouped.zeros = std::move(grid);
    used.push_back(*zeros);
  } else if (input.config.AllGroupsAsymmetric()) {
    return LacksPart(input.stored[parts.codes], parts.module + ".weight_zero_point");
  }
  if (const auto groups = input.stored.Find(parts.module + ".weight_g_idx")) {
    const TensorInfo& info = input.stored[*groups];
    if (info.dtype != DType::kI32 || info.element_count != columns ||
        columns > kMostReorderedColumns) {
      return Contradiction(info, "there is not one group for each input",
                           fmt::format("{} {}", InfoOf(info.dtype).name, ShapeText(info.shape)),
                           fmt::format("I32 [{}]", columns));
    }
    grouped.groups.column_groups = *groups;
    used.push_back(*groups);
  }
  auto tensor = MakeQuantised(
      input, parts.module + ".weight", grouped.result, {packed.rows, columns}, std::move(used),
      fmt::format("compressed-tensors {} bit, groups of {}", bits, group_size));
  tensor.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(tensor));
}

Result<std::optional<QuantisedTensor>> ReadFp4(const SchemeInput& input, const Parts& parts,
                                               const MatrixShape& packed,
                                               const MatrixShape& scales) {
  const uint64_t columns = packed.columns * 2;
  const DType scale_type = input.stored[parts.scales].dtype;
  const bool nvfp4 = scale_type == DType::kF8E4M3 && scales.columns * 16 == columns;
  const bool mxfp4 =
      (scale_type == DType::kU8 || scale_type == DType::kF8E8M0) && scales.columns * 32 == columns;
  if (scales.matrices != packed.matrices || scales.rows != packed.rows || (!nvfp4 && !mxfp4)) {
    return Contradiction(
        input.stored[parts.scales], "scales do not fit the pairs of FP4 codes",
        fmt::format("{} {}", InfoOf(scale_type).name, ShapeText(input.stored[parts.scales].shape)),
        "F8_E4M3 for each 16 columns or E8M0 for each 32");
  }
  std::vector<size_t> used = {parts.codes, parts.scales};
  GroupedTensor grouped = {
      .columns = columns,
      .codes = {MakePackedGrid({.tensor = parts.codes,
                                .word_columns = packed.columns,
                                .word_bits = 8,
                                .table = Fp4Table()})},
      .scales = {MakePlainGrid({.tensor = parts.scales, .columns = scales.columns})},
      .groups = {.matrix_rows = packed.rows,
                 .block_columns = nvfp4 ? 16u : 32u,
                 .column_count = scales.columns},
      .result = input.config.model_dtype.value_or(DType::kF32)};
  if (scale_type == DType::kU8) {
    grouped.scales.grid = MakePlainGrid(
        {.tensor = parts.scales, .columns = scales.columns, .table = ExponentTable()});
  }
  if (nvfp4) {
    TG_ASSIGN(const auto global, PartOf(input, parts.codes, parts.module + ".weight_global_scale"));
    TG_ASSIGN(const auto divisor, ScalarOf(input, global));
    grouped.scale_divisor = divisor;
    used.push_back(global);
  }
  std::vector<uint64_t> shape = input.stored[parts.codes].shape;
  shape.back() = columns;
  auto tensor = MakeQuantised(input, parts.module + ".weight", grouped.result, std::move(shape),
                              std::move(used), nvfp4 ? "NVFP4, groups of 16" : "MXFP4");
  tensor.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(tensor));
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadCompressedTensor(const SchemeInput& input,
                                                            size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const auto module = WithoutEnding(info.name, ".weight_packed");
  if (!module) return std::optional<QuantisedTensor>();
  TG_ASSIGN(const auto scales, PartOf(input, tensor, *module + ".weight_scale"));
  const auto packed = MatrixShapeOf(info);
  if (!packed) return packed.error();
  TG_ASSIGN(const auto scale_shape, MatrixShapeOf(input.stored[scales]));
  const Parts parts = {*module, tensor, scales};
  if (info.dtype == DType::kI32) return ReadIntegers(input, parts, *packed, scale_shape);
  if (info.dtype == DType::kU8) return ReadFp4(input, parts, *packed, scale_shape);
  return Contradiction(info, "packed codes have another type", std::string(InfoOf(info.dtype).name),
                       "I32, or U8 for pairs of FP4");
}

}  // namespace tensorguard::internal
