// BitNet as transformers packs it: `weight` U8 [outputs / 4, inputs] holds -1, 0 or 1, plus one, of
// four outputs a quarter of the matrix apart, the first in the lowest bits; `weight_scale` is one
// number, which divides the weights of its class "bitlinear" and multiplies those of
// "autobitlinear".
#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr unsigned kRowsInByte = 4;

// Of the three codes; the fourth stands for nothing, and is no number.
CodeTable TernaryTable() {
  CodeTable table = IntegerTable(-1);
  table[3] = std::numeric_limits<float>::quiet_NaN();
  return table;
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadBitnet(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const auto module = WithoutEnding(info.name, ".weight");
  if (input.config.method != "bitnet" || !module || info.dtype != DType::kU8) {
    return std::optional<QuantisedTensor>();
  }
  TG_ASSIGN(const auto packed, MatrixShapeOf(info));
  TG_ASSIGN(const auto scale_tensor, PartOf(input, tensor, *module + ".weight_scale"));
  TG_TRY(ScalarOf(input, scale_tensor));
  const std::string layer_class = input.config.Text("linear_class");
  if (packed.matrices != 1 ||
      (!layer_class.empty() && layer_class != "bitlinear" && layer_class != "autobitlinear")) {
    return Contradiction(info, "this kind of BitNet layer is not known",
                         fmt::format("{} {}", layer_class, ShapeText(info.shape)),
                         "bitlinear or autobitlinear, a matrix");
  }
  const uint64_t rows = packed.rows * kRowsInByte;
  const DType result = ResultOfScales(input.stored[scale_tensor].dtype);
  GroupedTensor grouped = {
      .columns = packed.columns,
      .codes = {MakePlaneGrid({.tensor = tensor,
                               .word_rows = packed.rows,
                               .word_columns = packed.columns,
                               .bits = 2,
                               .planes = kRowsInByte,
                               .table = TernaryTable()})},
      .scales = {MakePlainGrid({.tensor = scale_tensor, .columns = 1})},
      .groups = {.matrix_rows = rows, .block_rows = rows, .block_columns = packed.columns},
      .formula = layer_class == "autobitlinear" ? ScaleFormula::kShifted : ScaleFormula::kDivided,
      .result = result};
  auto quantised = MakeQuantised(input, info.name, result, {rows, packed.columns},
                                 {tensor, scale_tensor}, "BitNet 1.58 bit");
  quantised.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(quantised));
}

}  // namespace tensorguard::internal
