// Numbers of 8 or 4 bits that stand for themselves, with scales for a tensor, a row, a column or a
// block beside them: FP8 (DeepSeek's `weight_scale_inv` of 128x128 blocks, `weight_scale` of
// fbgemm, llm-compressor and ModelOpt, `scale` of DeepSeek V4), int8 (`weight_scale`, with
// `weight_zero_point`), pairs of FP4 in a byte (ModelOpt's NVFP4 with `weight_scale_2`, MXFP4).
// Weight = (number - zero point) * scale, whatever the scale's name says.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kUsualBlock = 128;

bool IsExponent(DType dtype) { return dtype == DType::kF8E8M0 || dtype == DType::kU8; }

// The tensor that scales `name`; empty if there is none.
std::optional<size_t> ScalesOf(const StoredTensors& stored, const std::string& name) {
  for (const char* ending : {"_scale_inv", "_scale"}) {
    if (const auto found = stored.Find(name + ending)) return found;
  }
  const auto module = WithoutEnding(name, ".weight");
  return module ? stored.Find(*module + ".scale") : std::nullopt;
}

std::optional<uint64_t> StatedBlock(const QuantisationConfig& config, size_t dimension) {
  if (!config.settings.is_object()) return {};
  const auto stated = config.settings.find("weight_block_size");
  if (stated == config.settings.end() || !stated->is_array() || stated->size() != 2) return {};
  const auto size = WholeNumber((*stated)[dimension]);
  return size && *size > 0 ? size : std::nullopt;
}

uint64_t BlocksOf(uint64_t elements, uint64_t block) {
  return elements / block + (elements % block != 0 ? 1 : 0);
}

// Rows (or columns) that share a scale, of which there are `scales`; empty: they do not fit.
std::optional<uint64_t> BlockSize(uint64_t elements, uint64_t scales,
                                  std::optional<uint64_t> stated) {
  if (scales == 1) return elements;
  if (scales == elements) return 1;
  if (stated && BlocksOf(elements, *stated) == scales) return stated;
  if (BlocksOf(elements, kUsualBlock) == scales) return kUsualBlock;
  if (scales < elements && elements % scales == 0) return elements / scales;
  return {};
}

struct Codes {
  MatrixShape shape;  // decoded
  std::shared_ptr<const NumberGrid> grid;
  const char* name;
};

// What lies in the tensor, told by its type and by how many numbers a scale is for.
Result<std::optional<Codes>> CodesOf(const SchemeInput& input, size_t tensor, size_t scales) {
  const TensorInfo& info = input.stored[tensor];
  TG_ASSIGN(const auto stored, MatrixShapeOf(info));
  const TensorInfo& scale_info = input.stored[scales];
  const uint64_t scale_columns = scale_info.shape.empty() ? 1 : scale_info.shape.back();
  const auto plain = MakePlainGrid({.tensor = tensor, .columns = stored.columns});
  if (IsFp8(info.dtype)) return std::optional(Codes{stored, plain, "FP8"});
  if (info.dtype == DType::kF4) return std::optional(Codes{stored, plain, "FP4"});
  const bool bytes = info.dtype == DType::kU8 || info.dtype == DType::kI8;
  const uint64_t group = bytes ? stored.columns * 2 / scale_columns : 0;
  const bool fp4 = (group == 32 && IsExponent(scale_info.dtype)) ||
                   (group == 16 && scale_info.dtype == DType::kF8E4M3);
  if (bytes && fp4 && stored.columns * 2 % scale_columns == 0) {
    MatrixShape shape = stored;
    shape.columns *= 2;
    const auto pairs = MakePackedGrid(
        {.tensor = tensor, .word_columns = stored.columns, .word_bits = 8, .table = Fp4Table()});
    return std::optional(Codes{shape, pairs, "FP4"});
  }
  // Exponents of two beside bytes are of a scheme that is not known.
  if (info.dtype == DType::kI8 && !IsExponent(scale_info.dtype)) {
    return std::optional(Codes{stored, plain, "int8"});
  }
  return std::optional<Codes>();
}

Error DoNotFit(const SchemeInput& input, size_t tensor, size_t scales) {
  return Contradiction(input.stored[scales], "scales do not fit the quantised weight",
                       ShapeText(input.stored[scales].shape),
                       fmt::format("one for the tensor, a row, a column or a block of {}",
                                   ShapeText(input.stored[tensor].shape)));
}

Result<ScaleGroups> GroupsOf(const SchemeInput& input, size_t tensor, size_t scales,
                             const MatrixShape& matrix, uint64_t& scale_row_elements) {
  const auto& shape = input.stored[scales].shape;
  if (input.stored[scales].element_count == 1) {
    scale_row_elements = 1;
    const uint64_t rows = matrix.matrices * matrix.rows;
    return ScaleGroups{.matrix_rows = rows, .block_rows = rows, .block_columns = matrix.columns};
  }
  const bool vector = shape.size() == 1;
  uint64_t scale_rows = vector ? shape[0] : 1;
  uint64_t scale_columns = vector ? 1 : shape.back();
  if (shape.size() >= 2) scale_rows = shape[shape.size() - 2];
  uint64_t matrices = 1;
  for (size_t i = 0; i + 2 < shape.size(); ++i) matrices *= shape[i];
  if (vector && matrix.matrices != 1 && shape[0] == matrix.matrices) {
    matrices = shape[0];
    scale_rows = 1;
  }
  const auto block_rows = BlockSize(matrix.rows, scale_rows, StatedBlock(input.config, 0));
  const auto block_columns = BlockSize(matrix.columns, scale_columns, StatedBlock(input.config, 1));
  if (matrices != matrix.matrices || !block_rows || !block_columns) {
    return DoNotFit(input, tensor, scales);
  }
  const bool blocks = scale_rows > 1 && scale_columns > 1;
  const auto stated = StatedBlock(input.config, 0);
  if (blocks && stated && BlocksOf(matrix.rows, *stated) != scale_rows) {
    return Contradiction(input.stored[scales], "config and tensors disagree about the quantisation",
                         fmt::format("{} blocks for {} rows", scale_rows, matrix.rows),
                         fmt::format("blocks of {}, as {} says", *stated, input.config.file));
  }
  scale_row_elements = scale_columns;
  return ScaleGroups{.matrix_rows = matrix.rows,
                     .block_rows = *block_rows,
                     .block_columns = *block_columns,
                     .column_count = scale_columns};
}

std::string Shown(const char* codes, const MatrixShape& matrix, const ScaleGroups& groups) {
  const bool all_rows = groups.block_rows >= matrix.rows;
  if (all_rows && groups.block_columns == matrix.columns) {
    return fmt::format("{}, one scale", codes);
  }
  if (groups.block_rows == 1 && groups.block_columns == matrix.columns) {
    return fmt::format("{}, a scale for each row", codes);
  }
  if (groups.block_rows == 1) return fmt::format("{}, groups of {}", codes, groups.block_columns);
  if (all_rows && groups.block_columns == 1) {
    return fmt::format("{}, a scale for each column", codes);
  }
  return fmt::format("{}, blocks of {}x{}", codes, groups.block_rows, groups.block_columns);
}

// Zero points lie as the scales do.
Result<void> AddZeros(const SchemeInput& input, size_t scales, const std::string& name,
                      uint64_t scale_columns, GroupedTensor& grouped, std::vector<size_t>& used) {
  const auto zeros = input.stored.Find(name + "_zero_point");
  const TensorInfo& codes = input.stored[used[0]];
  if (!zeros && codes.dtype == DType::kI8 && input.config.AllGroupsAsymmetric()) {
    return LacksPart(codes, name + "_zero_point");
  }
  if (!zeros) return {};
  if (input.stored[*zeros].element_count != input.stored[scales].element_count) {
    return Contradiction(input.stored[*zeros], "there is not one zero point for each scale",
                         ShapeText(input.stored[*zeros].shape),
                         ShapeText(input.stored[scales].shape));
  }
  grouped.zeros = OrientedGrid{MakePlainGrid({.tensor = *zeros, .columns = scale_columns})};
  used.push_back(*zeros);
  return {};
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadScaledNumbers(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const bool candidate = IsFp8(info.dtype) || info.dtype == DType::kI8 ||
                         info.dtype == DType::kU8 || info.dtype == DType::kF4;
  const auto scales =
      candidate && info.shape.size() >= 2 ? ScalesOf(input.stored, info.name) : std::nullopt;
  if (!scales) return std::optional<QuantisedTensor>();
  if (input.stored[*scales].element_count == 0) return DoNotFit(input, tensor, *scales);
  TG_ASSIGN(const auto codes, CodesOf(input, tensor, *scales));
  if (!codes) return std::optional<QuantisedTensor>();
  const MatrixShape& matrix = codes->shape;
  uint64_t scale_columns = 1;
  TG_ASSIGN(const auto groups, GroupsOf(input, tensor, *scales, matrix, scale_columns));
  const TensorInfo& scale_info = input.stored[*scales];
  PlainGridLayout scale_layout = {.tensor = *scales, .columns = scale_columns};
  if (scale_info.dtype == DType::kU8) scale_layout.table = ExponentTable();
  DType result = ResultOfScales(scale_info.dtype);
  if (result == DType::kF32) result = input.config.model_dtype.value_or(DType::kF32);
  GroupedTensor grouped = {.columns = matrix.columns,
                           .codes = {codes->grid},
                           .scales = {MakePlainGrid(scale_layout)},
                           .groups = groups,
                           .result = result};
  std::vector<size_t> used = {tensor, *scales};
  TG_TRY(AddZeros(input, *scales, info.name, scale_columns, grouped, used));
  if (const auto second = input.stored.Find(info.name + "_scale_2")) {
    TG_ASSIGN(const auto factor, ScalarOf(input, *second));
    grouped.scale_factor = factor;
    used.push_back(*second);
  } else if (!IsFp8(info.dtype) && scale_info.dtype == DType::kF8E4M3) {
    return LacksPart(info, info.name + "_scale_2");  // NVFP4
  }
  std::vector<uint64_t> shape = info.shape;
  shape.back() = matrix.columns;
  auto quantised = MakeQuantised(input, info.name, result, std::move(shape), std::move(used),
                                 Shown(codes->name, matrix, groups));
  quantised.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(quantised));
}

}  // namespace tensorguard::internal
