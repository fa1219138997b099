// What an adapter does to one tensor of its base, in blocks of any size.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_TENSOR_EDIT_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_TENSOR_EDIT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Reads elements of the tensor as it is before the edit.
using ReadElements = std::function<Result<void>(uint64_t first_element, std::span<float> out)>;

// Thread-safe. An element's result does not depend on the block that it is read in.
class TensorEdit {
 public:
  virtual ~TensorEdit() = default;

  // Edits `values`, which hold the elements from `first_element` on in row-major order. `unedited`
  // is for edits of which one element depends on others. Errors: those of `unedited`.
  virtual Result<void> Apply(uint64_t first_element, std::span<float> values,
                             const ReadElements& unedited) const = 0;
};

// scaling * left * right, a matrix of `rows` x `columns` held as its two thin factors.
struct LowRankMatrix {
  uint64_t rows = 0;
  uint64_t columns = 0;
  uint64_t rank = 0;
  float scaling = 0;
  std::vector<float> left;   // [rows, rank]
  std::vector<float> right;  // [rank, columns]

  // Adds the elements from `first_element` on to `values`.
  void AddTo(uint64_t first_element, std::span<float> values) const;
};

enum class MatrixAxis { kRows, kColumns };

// LoRA: W + D.
std::unique_ptr<const TensorEdit> AddLowRank(LowRankMatrix delta);

// DoRA: each output of W + D, a row or a column, rescaled to the length that `magnitudes` gives it.
// The lengths it has are measured in one pass over the tensor at the first read and kept.
// REQUIRES: one magnitude for each row or column.
std::unique_ptr<const TensorEdit> AddLowRankAndRescale(LowRankMatrix delta, MatrixAxis outputs,
                                                       std::vector<float> magnitudes);

// (IA)^3: each row or column of a matrix with `columns` columns multiplied by its factor. A bias is
// a matrix of one row.
std::unique_ptr<const TensorEdit> ScaleAlong(MatrixAxis axis, uint64_t columns,
                                             std::vector<float> factors);

// A bias of LoRA: one number added to each element. REQUIRES: one for each element.
std::unique_ptr<const TensorEdit> AddElements(std::vector<float> addends);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_TENSOR_EDIT_H_
