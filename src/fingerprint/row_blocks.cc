#include "fingerprint/row_blocks.h"

#include <vector>

namespace tensorguard {

Result<void> ForEachBlock(const WeightSource& weights, size_t tensor_index, uint64_t columns,
                          uint64_t first_row, uint64_t last_row,
                          const std::function<void(const RowBlock&, std::span<const float>)>& use) {
  // One buffer per thread for its whole life: a fresh one per block would cost as much as reading.
  thread_local std::vector<float> buffer;
  buffer.resize(kBlockElements);
  const uint64_t rows_per_block = RowsPerBlock(columns);
  for (uint64_t row = first_row; row < last_row; row += rows_per_block) {
    const uint64_t row_count = std::min(rows_per_block, last_row - row);
    for (uint64_t column = 0; column < columns; column += kBlockElements) {
      const RowBlock block = {.first_row = row,
                              .row_count = row_count,
                              .first_column = column,
                              .column_count = std::min(kBlockElements, columns - column)};
      const std::span<float> values(buffer.data(), block.element_count());
      auto read = weights.ReadFloat32(tensor_index, row * columns + column, values);
      if (!read) return read;
      use(block, values);
    }
  }
  return {};
}

}  // namespace tensorguard
