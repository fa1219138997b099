// A matrix cut into blocks of rows that fit the cache.
#ifndef TENSORGUARD_PAPER_RESPONSES_ROW_BLOCKS_H_
#define TENSORGUARD_PAPER_RESPONSES_ROW_BLOCKS_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Part of a matrix: whole rows, or a run of columns of one row that is too wide for a block.
struct RowBlock {
  uint64_t first_row = 0;
  uint64_t row_count = 0;
  uint64_t first_column = 0;
  uint64_t column_count = 0;

  uint64_t element_count() const { return row_count * column_count; }
};

// 64 KiB of bfloat16, 128 KiB of float32: fits a second-level cache. A multiple of 1024, as
// AddResponses wants it for rows cut into runs of columns.
inline constexpr uint64_t kBlockElements = 32768;

inline uint64_t RowsReadAtOnce(uint64_t columns) {
  return std::max<uint64_t>(1, kBlockElements / columns);
}

inline Result<void> ReadNumbers(const WeightSource& weights, size_t tensor_index,
                                uint64_t first_element, std::span<float> out) {
  return weights.ReadFloat32(tensor_index, first_element, out);
}

inline Result<void> ReadNumbers(const WeightSource& weights, size_t tensor_index,
                                uint64_t first_element, std::span<BFloat16> out) {
  return weights.ReadBFloat16(tensor_index, first_element, out);
}

// One for each thread, for its whole life: a fresh one for each block would cost as much as
// reading.
template <class Number>
std::span<Number> BlockBuffer() {
  thread_local std::vector<Number> buffer(kBlockElements);
  return buffer;
}

// Reads rows [first_row, last_row) of a matrix with `columns` columns block by block, in order, and
// calls use(block, numbers), numbers being a `const Number*` that is valid until use returns.
// REQUIRES: Number is float, or BFloat16 for a tensor that is stored so.
template <class Number, class Use>
Result<void> ForEachBlock(const WeightSource& weights, size_t tensor_index, uint64_t columns,
                          uint64_t first_row, uint64_t last_row, const Use& use) {
  const std::span<Number> buffer = BlockBuffer<Number>();
  const uint64_t rows_per_block = RowsReadAtOnce(columns);
  for (uint64_t row = first_row; row < last_row; row += rows_per_block) {
    const uint64_t row_count = std::min(rows_per_block, last_row - row);
    for (uint64_t column = 0; column < columns; column += kBlockElements) {
      const RowBlock block = {.first_row = row,
                              .row_count = row_count,
                              .first_column = column,
                              .column_count = std::min(kBlockElements, columns - column)};
      auto read = ReadNumbers(weights, tensor_index, row * columns + column,
                              buffer.first(block.element_count()));
      if (!read) return read;
      use(block, buffer.data());
    }
  }
  return {};
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_RESPONSES_ROW_BLOCKS_H_
