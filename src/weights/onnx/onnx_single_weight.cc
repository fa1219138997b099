#include "weights/onnx/onnx_single_weight.h"

#include <algorithm>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kBlockElements = 1 << 18;

// The scales or zeros of rows [first_row, ...) of the grid.
Result<std::vector<float>> ReadGrid(const OnnxData& data, const OnnxMatrix& matrix,
                                    uint64_t columns, uint64_t first_row, uint64_t rows) {
  std::vector<float> grid(rows * columns);
  TG_TRY(data.ReadMatrix(matrix, columns, first_row * columns, grid));
  return grid;
}

Result<void> Dequantise(const OnnxData& data, const OnnxWeight& weight, uint64_t first_element,
                        std::span<float> codes) {
  const OnnxScales& quantised = *weight.quantised;
  const uint64_t grid_columns = (weight.columns + quantised.columns - 1) / quantised.columns;
  const uint64_t first_row = first_element / weight.columns / quantised.rows;
  const uint64_t last_element = first_element + codes.size() - 1;
  const uint64_t rows = last_element / weight.columns / quantised.rows - first_row + 1;
  TG_ASSIGN(const auto scales, ReadGrid(data, quantised.scales, grid_columns, first_row, rows));
  std::vector<float> zeros(scales.size(), quantised.zero);
  if (quantised.zeros) {
    TG_ASSIGN(auto read, ReadGrid(data, *quantised.zeros, grid_columns, first_row, rows));
    zeros = std::move(read);
  }
  while (!codes.empty()) {
    const uint64_t column = first_element % weight.columns;
    const size_t at = (first_element / weight.columns / quantised.rows - first_row) * grid_columns +
                      column / quantised.columns;
    const uint64_t in_group = quantised.columns - column % quantised.columns;
    const auto run =
        codes.first(std::min<uint64_t>({codes.size(), in_group, weight.columns - column}));
    for (float& code : run) code = (code - zeros[at]) * scales[at];
    codes = codes.subspan(run.size());
    first_element += run.size();
  }
  return {};
}

}  // namespace

Result<void> ReadOnnxWeight(const OnnxData& data, const OnnxWeight& weight, uint64_t first_element,
                            std::span<float> out) {
  while (!out.empty()) {
    const auto block = out.first(std::min<uint64_t>(out.size(), kBlockElements));
    auto read = data.ReadMatrix(weight.numbers, weight.columns, first_element, block);
    if (read && weight.quantised) read = Dequantise(data, weight, first_element, block);
    if (!read) return read;
    for (float& number : block) number -= weight.added;
    out = out.subspan(block.size());
    first_element += block.size();
  }
  return {};
}

}  // namespace tensorguard::internal
