// OCP MXFP4 as gpt-oss stores stacked experts: `NAME_blocks` U8 [experts, outputs, groups, 16], two
// codes of FP4 in a byte, the first in the low bits, and `NAME_scales` U8 [experts, outputs,
// groups], exponents of two of which 127 is 1. transformers' unquantised NAME is [experts, inputs,
// outputs]. The other published form has NAME.blocks and NAME.scales, and its NAME is [experts,
// outputs, inputs].
#include <fmt/format.h>

#include <utility>

#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kGroupBytes = 16;
constexpr uint64_t kGroupElements = 32;

}  // namespace

Result<std::optional<QuantisedTensor>> ReadMxfp4(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const auto with_underscore = WithoutEnding(info.name, "_blocks");
  const auto module = with_underscore ? with_underscore : WithoutEnding(info.name, ".blocks");
  if (!module || info.dtype != DType::kU8) return std::optional<QuantisedTensor>();
  const auto scales = PartOf(input, tensor, *module + (with_underscore ? "_scales" : ".scales"));
  if (!scales) return scales.error();
  const auto& shape = info.shape;
  std::vector<uint64_t> scale_shape = shape;
  if (!scale_shape.empty()) scale_shape.pop_back();
  if (shape.size() < 3 || shape.back() != kGroupBytes ||
      input.stored[*scales].dtype != DType::kU8 || input.stored[*scales].shape != scale_shape) {
    return Contradiction(info, "blocks and scales do not fit each other",
                         fmt::format("blocks {}, scales {}", ShapeText(shape),
                                     ShapeText(input.stored[*scales].shape)),
                         "U8 [..., outputs, groups, 16] and U8 [..., outputs, groups]");
  }
  TG_ASSIGN(const auto matrix, MatrixShapeOf(input.stored[*scales]));
  GroupedTensor grouped = {
      .columns = matrix.columns * kGroupElements,
      .codes = {MakePackedGrid({.tensor = tensor,
                                .word_columns = matrix.columns * kGroupBytes,
                                .word_bits = 8,
                                .table = Fp4Table()})},
      .scales = {MakePlainGrid(
          {.tensor = *scales, .columns = matrix.columns, .table = ExponentTable()})},
      .groups = {.matrix_rows = matrix.rows,
                 .block_columns = kGroupElements,
                 .column_count = matrix.columns},
      .result = DType::kBF16};
  scale_shape.back() = grouped.columns;
  if (with_underscore) std::swap(scale_shape.back(), scale_shape[scale_shape.size() - 2]);
  auto quantised = MakeQuantised(input, *module, DType::kBF16, std::move(scale_shape),
                                 {tensor, *scales}, "MXFP4");
  quantised.decoder = MakeGroupedDecoder(grouped);
  quantised.input_major = with_underscore.has_value();
  if (quantised.input_major) quantised.rows_together = kGroupElements;
  return std::optional(std::move(quantised));
}

}  // namespace tensorguard::internal
