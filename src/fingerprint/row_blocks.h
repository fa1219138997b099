// A matrix cut into blocks of rows that fit the cache.
#ifndef TENSORGUARD_FINGERPRINT_ROW_BLOCKS_H_
#define TENSORGUARD_FINGERPRINT_ROW_BLOCKS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"
#include "weights/weight_source.h"

namespace tensorguard {

// Part of a matrix: whole rows, or a run of columns of one row that is too wide for a block.
struct RowBlock {
  uint64_t first_row = 0;
  uint64_t row_count = 0;
  uint64_t first_column = 0;
  uint64_t column_count = 0;

  uint64_t element_count() const { return row_count * column_count; }
};

// 128 KiB of float32: fits a second-level cache beside the stored bytes. A multiple of 1024, as
// AddResponses wants it for rows cut into runs of columns.
inline constexpr uint64_t kBlockElements = 32768;

inline uint64_t RowsPerBlock(uint64_t columns) {
  return std::max<uint64_t>(1, kBlockElements / columns);
}

// Reads rows [first_row, last_row) of a matrix with `columns` columns block by block, in order, and
// calls use(block, values). The values are valid until use returns.
Result<void> ForEachBlock(const WeightSource& weights, size_t tensor_index, uint64_t columns,
                          uint64_t first_row, uint64_t last_row,
                          const std::function<void(const RowBlock&, std::span<const float>)>& use);

}  // namespace tensorguard

#endif  // TENSORGUARD_FINGERPRINT_ROW_BLOCKS_H_
