#include "weights/onnx/onnx_quantised.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "weights/elements/element_types.h"

namespace tensorguard::internal {
namespace {

// Where an operator has its weight: inputs, counted from 0.
struct QuantisedOperator {
  std::string_view op_type;
  size_t codes;
  size_t scales;  // 0: a product further on
  size_t zeros;
};

// ONNX's operators, and onnxruntime's of com.microsoft (docs/ContribOperators.md there).
constexpr std::array kOperators = std::to_array<QuantisedOperator>({
    {"DequantizeLinear", 0, 1, 2},
    {"MatMulInteger", 1, 0, 3},
    {"ConvInteger", 1, 0, 3},
    {"DynamicQuantizeMatMul", 1, 2, 3},
    {"MatMulIntegerToFloat", 1, 3, 5},
    {"QLinearMatMul", 3, 4, 5},
    {"QGemm", 3, 4, 5},
    {"QAttention", 1, 4, 7},
});

Error DoNotBelong(const OnnxTensor& codes, std::string found, std::string expected) {
  return {.problem = "scales of a quantised weight do not fit its shape",
          .tensor = codes.name,
          .found = std::move(found),
          .expected = std::move(expected)};
}

uint64_t CeilingOf(uint64_t number, uint64_t divisor) {
  return number / divisor + (number % divisor != 0);
}

// onnxruntime multiplies an integer product by the scale of x times that of the weight.
std::optional<size_t> ScaleOfProduct(const OnnxGraphIndex& graph, const OnnxNode& product) {
  const OnnxNode* at = &product;
  for (int step = 0; step < 2; ++step) {
    const auto users = graph.UsersOf(*at);
    if (users.size() != 1) return {};
    const OnnxNode& user = graph.model().nodes[users[0]];
    if (user.op_type == "Cast") {
      at = &user;
      continue;
    }
    if (user.op_type != "Mul") return {};
    const size_t other = user.Input(0) == at->outputs[0] ? 1 : 0;
    const OnnxNode* scales = graph.MakerOf(user.graph, user.Input(other));
    if (scales == nullptr || scales->op_type != "Mul") return {};
    const auto first = graph.TensorOf(*scales, 0);
    return first ? first : graph.TensorOf(*scales, 1);
  }
  return {};
}

// Rows and columns of codes to a scale, and the grid of the scales, of a matrix as it is stored.
struct Grid {
  uint64_t rows;
  uint64_t columns;
  uint64_t grid_rows;
  uint64_t grid_columns;
};

// The matrix that codes are seen as, and the axis of it that the scales follow.
struct Layout {
  uint64_t rows;
  uint64_t columns;
  size_t axis;
};

Result<Layout> LayoutOf(const OnnxTensor& codes, const OnnxTensor& scales, const OnnxCodes& how) {
  const size_t rank = codes.shape.size();
  const bool one_scale = scales.element_count == 1 && how.block == 0;
  if (rank == 2) {
    const int64_t axis = how.axis < 0 ? how.axis + 2 : how.axis;
    const Layout layout = {codes.shape[0], codes.shape[1], axis == 0 ? size_t{0} : size_t{1}};
    if (one_scale || axis == 0 || axis == 1) return layout;
  } else if (one_scale) {
    return Layout{1, codes.element_count, 1};
  } else if (rank == 1 && how.block == 0) {
    return Layout{codes.element_count, 1, 0};
  } else if (rank > 2 && how.axis == 0 && how.block == 0 && codes.shape[0] != 0) {
    return Layout{codes.shape[0], codes.element_count / codes.shape[0], 0};
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "quantised weights of this shape are not read",
               .tensor = codes.name,
               .found = fmt::format("shape [{}], axis {}", fmt::join(codes.shape, ", "), how.axis),
               .expected = "a matrix, scales of the first axis, or one scale for all"};
}

Result<Grid> GridOf(const OnnxTensor& codes, const OnnxTensor& scales, const OnnxCodes& how,
                    const Layout& layout) {
  if (scales.element_count == 1 && how.block == 0) {
    return Grid{layout.rows, layout.columns, 1, 1};
  }
  const uint64_t block = how.block == 0 ? 1 : how.block;
  Grid grid = layout.axis == 0 ? Grid{block, how.block == 0 ? layout.columns : 1, 0, 0}
                               : Grid{how.block == 0 ? layout.rows : 1, block, 0, 0};
  grid.grid_rows = CeilingOf(layout.rows, grid.rows);
  grid.grid_columns = CeilingOf(layout.columns, grid.columns);
  const auto expected = CheckedMultiply(grid.grid_rows, grid.grid_columns);
  if (expected && scales.element_count == *expected) return grid;
  return DoNotBelong(codes, fmt::format("{} scales", scales.element_count),
                     fmt::format("{} by {}", grid.grid_rows, grid.grid_columns));
}

Result<void> CheckReal(const OnnxTensor& tensor) {
  if (IsReal(tensor.dtype)) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "complex numbers cannot be read as weights",
               .tensor = tensor.name};
}

OnnxMatrix GridMatrix(size_t tensor, const Grid& grid, bool transposed) {
  OnnxMatrix matrix = {.tensor = tensor, .row_stride = grid.grid_columns, .column_stride = 1};
  if (transposed) std::swap(matrix.row_stride, matrix.column_stride);
  return matrix;
}

// Tensors of an operator whose codes lie in blocks along the rows of a matrix.
struct Blocks {
  uint64_t rows;
  uint64_t columns;
  uint64_t block;
  unsigned bits;
};

Result<Blocks> CheckBlocks(const OnnxTensor& codes, const OnnxNode& node, uint64_t rows,
                           uint64_t columns) {
  const int64_t bits = node.Number("bits", 4);
  const int64_t block = node.Number("block_size", 0);
  if (bits != 2 && bits != 4 && bits != 8) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "codes of this number of bits are not read",
                 .tensor = codes.name,
                 .found = fmt::format("{} bits", bits),
                 .expected = "2, 4 or 8"};
  }
  const bool whole_bytes = block > 0 && block * bits % 8 == 0 && block <= 1 << 20;
  if (whole_bytes && rows != 0 && columns != 0 && columns < uint64_t{1} << 40 &&
      rows < uint64_t{1} << 40) {
    return Blocks{rows, columns, static_cast<uint64_t>(block), static_cast<unsigned>(bits)};
  }
  return DoNotBelong(codes, fmt::format("{} by {} codes in blocks of {}", rows, columns, block),
                     "a matrix with blocks of whole bytes");
}

// Zero points: packed like the codes, each row in bytes of its own, or numbers like the scales.
Result<std::optional<OnnxMatrix>> ZerosOf(const OnnxGraphIndex& graph, const OnnxNode& node,
                                          const Blocks& blocks) {
  if (node.Input(3).empty()) return std::optional<OnnxMatrix>();
  const auto tensor = graph.TensorOf(node, 3);
  if (!tensor) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "zero points of a quantised weight are not stored",
                 .tensor = node.Input(3)};
  }
  const OnnxTensor& zeros = graph.model().tensors[*tensor];
  const uint64_t columns = CeilingOf(blocks.columns, blocks.block);
  if (zeros.dtype == DType::kU8 && zeros.nibbles == OnnxNibbles::kNone) {
    const uint64_t row_bytes = CeilingOf(columns * blocks.bits, 8);
    if (zeros.element_count == blocks.rows * row_bytes) {
      return std::optional(OnnxMatrix{
          .tensor = *tensor, .code_bits = blocks.bits, .row_stride = row_bytes * 8 / blocks.bits});
    }
  } else if (zeros.element_count == blocks.rows * columns && IsReal(zeros.dtype)) {
    return std::optional(OnnxMatrix{.tensor = *tensor, .row_stride = columns});
  }
  return DoNotBelong(zeros, fmt::format("{} zero points", zeros.element_count),
                     fmt::format("those of {} rows of {} blocks", blocks.rows, columns));
}

Result<OnnxWeight> BlockWeight(const OnnxGraphIndex& graph, const OnnxNode& node, size_t codes,
                               size_t scales_input, const Blocks& blocks, float zero) {
  const OnnxTensor& stored = graph.model().tensors[codes];
  const auto scales = graph.TensorOf(node, scales_input);
  const uint64_t columns = CeilingOf(blocks.columns, blocks.block);
  if (!scales) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "scales of a quantised weight are not stored",
                 .tensor = stored.name};
  }
  const OnnxTensor& scale = graph.model().tensors[*scales];
  TG_TRY(CheckReal(scale));
  if (scale.element_count != blocks.rows * columns) {
    return DoNotBelong(stored, fmt::format("{} scales", scale.element_count),
                       fmt::format("{} by {}", blocks.rows, columns));
  }
  TG_ASSIGN(auto zeros, ZerosOf(graph, node, blocks));
  return OnnxWeight{.name = {},
                    .shape = {blocks.rows, blocks.columns},
                    .element_count = blocks.rows * blocks.columns,
                    .numbers = {.tensor = codes},
                    .columns = blocks.columns,
                    .quantised = OnnxScales{.scales = {.tensor = *scales, .row_stride = columns},
                                            .zeros = std::move(zeros),
                                            .zero = zero,
                                            .rows = 1,
                                            .columns = blocks.block}};
}

}  // namespace

Result<std::optional<OnnxCodes>> CodesOf(const OnnxGraphIndex& graph, const OnnxNode& node) {
  for (const QuantisedOperator& row : kOperators) {
    if (row.op_type != node.op_type) continue;
    const auto codes = graph.TensorOf(node, row.codes);
    if (!codes) return std::optional<OnnxCodes>();
    const auto scales =
        row.scales == 0 ? ScaleOfProduct(graph, node) : graph.TensorOf(node, row.scales);
    const bool zeros_not_stored =
        !node.Input(row.zeros).empty() && !graph.TensorOf(node, row.zeros);
    if (!scales || zeros_not_stored) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "scales or zero points of a quantised weight are not stored",
                   .tensor = graph.model().tensors[*codes].name,
                   .found = fmt::format("node {} ({})", node.name, node.op_type)};
    }
    OnnxCodes how = {.codes = *codes, .scales = *scales, .zeros = graph.TensorOf(node, row.zeros)};
    const int64_t block = node.Number("block_size", 0);
    how.axis = node.op_type == "QGemm" && node.Number("transB", 0) != 0 ? 0 : 1;
    if (node.op_type == "ConvInteger") how.axis = 0;
    if (node.op_type == "DequantizeLinear") how.axis = node.Number("axis", 1);
    how.block = block > 0 ? static_cast<uint64_t>(block) : 0;
    return std::optional(how);
  }
  return std::optional<OnnxCodes>();
}

Result<OnnxWeight> DequantisedWeight(const OnnxModel& model, const OnnxCodes& how,
                                     bool transposed) {
  const OnnxTensor& codes = model.tensors[how.codes];
  const OnnxTensor& scales = model.tensors[how.scales];
  for (const OnnxTensor* tensor : {&codes, &scales}) {
    TG_TRY(CheckReal(*tensor));
  }
  if (codes.element_count == 0) return DoNotBelong(codes, "no codes", "at least one");
  TG_ASSIGN(const auto layout, LayoutOf(codes, scales, how));
  const auto [rows, columns, axis] = layout;
  TG_ASSIGN(const auto grid, GridOf(codes, scales, how, layout));
  OnnxScales quantised = {.scales = GridMatrix(how.scales, grid, transposed),
                          .zeros = {},
                          .rows = transposed ? grid.columns : grid.rows,
                          .columns = transposed ? grid.rows : grid.columns};
  if (how.zeros) {
    const OnnxTensor& zeros = model.tensors[*how.zeros];
    TG_TRY(CheckReal(zeros));
    // A zero point of all, beside scales of channels, is written by some.
    const bool one = zeros.element_count == 1 && scales.element_count != 1;
    if (!one && zeros.element_count != scales.element_count) {
      return DoNotBelong(codes, fmt::format("{} zero points", zeros.element_count),
                         fmt::format("{}, as there are scales", scales.element_count));
    }
    quantised.zeros = GridMatrix(*how.zeros, grid, transposed);
    if (one) quantised.zeros->row_stride = quantised.zeros->column_stride = 0;
  }
  OnnxWeight weight = {.name = {},
                       .shape = codes.shape,
                       .element_count = codes.element_count,
                       .numbers = {.tensor = how.codes, .row_stride = columns},
                       .columns = transposed ? rows : columns,
                       .quantised = quantised};
  if (transposed) {
    std::swap(weight.shape[0], weight.shape[1]);
    weight.numbers.row_stride = 1;
    weight.numbers.column_stride = columns;
  }
  return weight;
}

Result<OnnxWeight> MatMulNBitsWeight(const OnnxGraphIndex& graph, const OnnxNode& node,
                                     size_t codes) {
  const OnnxTensor& stored = graph.model().tensors[codes];
  if (!node.Input(4).empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "quantised weights with permuted inputs (g_idx) are not read",
                 .tensor = stored.name};
  }
  TG_ASSIGN(const auto blocks, CheckBlocks(stored, node, static_cast<uint64_t>(node.Number("N", 0)),
                                           static_cast<uint64_t>(node.Number("K", 0))));
  const uint64_t row_codes = CeilingOf(blocks.columns, blocks.block) * blocks.block;
  const auto all = CheckedMultiply(blocks.rows, row_codes * blocks.bits / 8);
  if (stored.dtype != DType::kU8 || stored.nibbles != OnnxNibbles::kNone || !all ||
      stored.element_count != *all) {
    return DoNotBelong(
        stored, fmt::format("{} bytes of codes", stored.element_count),
        fmt::format("{} rows of {} codes of {} bits", blocks.rows, row_codes, blocks.bits));
  }
  auto weight =
      BlockWeight(graph, node, codes, 2, blocks, static_cast<float>(1u << (blocks.bits - 1)));
  if (!weight) return weight;
  weight->numbers.code_bits = blocks.bits;
  weight->numbers.row_stride = row_codes;
  return weight;
}

Result<OnnxWeight> GatherBlockQuantizedWeight(const OnnxGraphIndex& graph, const OnnxNode& node,
                                              size_t codes) {
  const OnnxTensor& stored = graph.model().tensors[codes];
  const int64_t axis = node.Number("quantize_axis", 1);
  if (stored.shape.size() != 2 || node.Number("gather_axis", 0) != 0 || (axis != 1 && axis != -1)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "quantised tables of this order are not read",
                 .tensor = stored.name,
                 .found = fmt::format("shape [{}], quantised along axis {}",
                                      fmt::join(stored.shape, ", "), axis),
                 .expected = "a matrix, gathered by rows and quantised along them"};
  }
  const bool bytes = stored.nibbles == OnnxNibbles::kNone;
  const auto bits = static_cast<uint64_t>(node.Number("bits", 4));
  const uint64_t per_element = bytes && bits != 0 && bits <= 8 ? 8 / bits : 1;
  if (stored.shape[1] >= uint64_t{1} << 40 || (bytes && stored.dtype != DType::kU8)) {
    return DoNotBelong(stored, "other codes", "U8, INT4 or UINT4");
  }
  TG_ASSIGN(const auto blocks,
            CheckBlocks(stored, node, stored.shape[0], stored.shape[1] * per_element));
  // Bytes follow MatMulNBits, whose codes are around the middle; ONNX's own half bytes around 0.
  auto weight = BlockWeight(graph, node, codes, 2, blocks,
                            bytes ? static_cast<float>(1u << (blocks.bits - 1)) : 0.0f);
  if (!weight) return weight;
  weight->numbers.code_bits = bytes ? blocks.bits : 0;
  weight->numbers.row_stride = blocks.columns;
  return weight;
}

}  // namespace tensorguard::internal
