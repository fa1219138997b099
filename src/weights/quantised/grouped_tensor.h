// A matrix as codes and the scales of groups of them, decoded in tiles.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_GROUPED_TENSOR_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_GROUPED_TENSOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "safetensors/dtype.h"
#include "tensorguard/result.h"
#include "weights/quantised/number_grid.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Decodes tiles of a matrix [outputs, inputs]; stacked matrices lie below each other. Const methods
// may be called from any thread.
class TensorDecoder {
 public:
  virtual ~TensorDecoder() = default;

  // `out` is [tile.rows, tile.columns]. REQUIRES: the tile lies inside the matrix. Errors: those of
  // the source; kBadFile where stored indexes or numbers make no sense.
  virtual Result<void> Decode(const WeightSource& stored, const Tile& tile,
                              std::span<float> out) const = 0;
};

// A grid, and whether it is stored [inputs, outputs].
struct OrientedGrid {
  std::shared_ptr<const NumberGrid> grid = {};
  bool input_major = false;

  // Of a tile [outputs, inputs or groups].
  Result<void> Read(const WeightSource& stored, const Tile& tile, std::span<float> out) const;
};

// The groups of so many columns are held in memory, where a tensor gives them.
inline constexpr uint64_t kMostReorderedColumns = 1 << 24;

// Which scale a code has. Blocks start anew with each stacked matrix.
struct ScaleGroups {
  uint64_t matrix_rows = 1;  // of one stacked matrix
  uint64_t block_rows = 1;   // rows that share a row of scales
  uint64_t block_columns = 1;
  uint64_t column_count = 1;  // scales of a row
  // I32 tensor that gives the group of each column; blocks of columns where it holds zeros alone,
  // as writers leave it that never reorder.
  std::optional<size_t> column_groups = {};

  uint64_t ScaleRow(uint64_t row) const {
    const uint64_t blocks = (matrix_rows + block_rows - 1) / block_rows;
    return row / matrix_rows * blocks + row % matrix_rows / block_rows;
  }
};

enum class ScaleFormula {
  kShifted,  // (code - zero) * scale
  kBiased,   // code * scale + zero
  kDivided,  // code / scale
};

struct GroupedTensor {
  uint64_t columns = 0;  // of the matrix
  OrientedGrid codes = {};
  OrientedGrid scales = {};
  std::optional<OrientedGrid> zeros = {};  // zero points or biases, one for each scale
  ScaleGroups groups = {};
  ScaleFormula formula = ScaleFormula::kShifted;
  float scale_divisor = 1;   // scales are divided by it before they are used
  float scale_factor = 1;    // scales are multiplied by it before they are used
  float product_factor = 1;  // the products are
  DType result = DType::kF32;
};

// Everything is computed in float32, in the order that the fields say, and rounded once to
// `result`: F32, F16 or BF16. Errors of Decode: as above; kBadFile for a group that does not exist.
std::shared_ptr<const TensorDecoder> MakeGroupedDecoder(const GroupedTensor& tensor);

// Rounds to the nearest number of F16 or BF16; F32 stays.
void RoundTo(DType dtype, std::span<float> numbers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_GROUPED_TENSOR_H_
