#include "network/weight.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/parallel.h"

namespace tensorguard {
namespace {

// Elements of a weight that one thread has in hand at a time: 4 MiB, enough rows for an efficient
// matrix product. An input-major weight is read in short stretches of a row of storage, which are
// longer with larger blocks.
constexpr uint64_t kBlockElements = uint64_t{1} << 20;
constexpr uint64_t kInputMajorBlockElements = uint64_t{1} << 22;

// Storage rows of an input-major weight that are turned round at a time.
constexpr uint64_t kTurnedInputs = 64;

// A stretch of stored outputs: first, first + step, ...
using Stretch = RowRun;

// Calls use(stretch, row) for the pieces of the runs that make up rows [first_row, first_row +
// count); `row` counts from first_row. Stops at an error.
template <typename Use>
Result<void> ForEachStretch(const Weight& weight, uint64_t first_row, uint64_t count, Use use) {
  uint64_t run_begin = 0;
  for (const RowRun& run : weight.runs) {
    const uint64_t begin = std::max(run_begin, first_row);
    const uint64_t end = std::min(run_begin + run.count, first_row + count);
    if (begin < end) {
      const Stretch stretch = {.first = run.first + (begin - run_begin) * run.step,
                               .count = end - begin,
                               .step = run.step};
      auto done = use(stretch, begin - first_row);
      if (!done) return done;
    }
    run_begin += run.count;
    if (run_begin >= first_row + count) break;
  }
  return {};
}

Result<void> ReadOutputMajor(const WeightSource& source, const Weight& weight,
                             const Stretch& stretch, std::span<float> out) {
  const uint64_t columns = weight.columns;
  const uint64_t together = stretch.step == 1 ? stretch.count : 1;
  for (uint64_t row = 0; row < stretch.count; row += together) {
    const uint64_t stored = stretch.first + row * stretch.step;
    auto read = source.ReadFloat32(weight.tensor_index, weight.first_element + stored * columns,
                                   out.subspan(row * columns, together * columns));
    if (!read) return read;
  }
  return {};
}

// A row of storage holds one input of all outputs: reads the part of it that spans the stretch,
// some inputs at a time, and turns them round.
Result<void> ReadInputMajor(const WeightSource& source, const Weight& weight,
                            const Stretch& stretch, std::span<float> out) {
  const uint64_t span = (stretch.count - 1) * stretch.step + 1;
  std::vector<float> inputs(std::min(kTurnedInputs, weight.columns) * span);
  for (uint64_t first = 0; first < weight.columns; first += kTurnedInputs) {
    const uint64_t count = std::min(kTurnedInputs, weight.columns - first);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t element =
          weight.first_element + (first + i) * weight.stored_rows + stretch.first;
      auto read = source.ReadFloat32(weight.tensor_index, element,
                                     std::span(inputs).subspan(i * span, span));
      if (!read) return read;
    }
    for (uint64_t row = 0; row < stretch.count; ++row) {
      const float* from = &inputs[row * stretch.step];
      float* to = &out[row * weight.columns + first];
      for (uint64_t i = 0; i < count; ++i) to[i] = from[i * span];
    }
  }
  return {};
}

bool AllFinite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7f80'0000;
  uint32_t found = 0;
  for (const float value : values) {
    found |= static_cast<uint32_t>((std::bit_cast<uint32_t>(value) & kExponent) == kExponent);
  }
  return found == 0;
}

Error NotFinite(const TensorInfo& tensor, const Weight& weight, uint64_t row, uint64_t column,
                float value) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "weights are not finite numbers",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = fmt::format("{} in row {}, column {} of its {}", value, row, column,
                               RoleName(weight.role.role)),
          .expected = "finite numbers"};
}

Error TooLarge(const TensorInfo& tensor, const Weight& weight) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "the matrix is too large to multiply with",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = fmt::format("{} rows, {} columns", weight.rows, weight.columns),
          .expected = "fewer than 2^31 of each"};
}

// Rows [first_row, first_row + count) into `out`, all of them finite.
Result<void> ReadRows(const WeightSource& source, const Weight& weight, uint64_t first_row,
                      uint64_t count, std::span<float> out) {
  const TensorInfo& tensor = source.tensors()[weight.tensor_index];
  auto read = ForEachStretch(
      weight, first_row, count, [&](const Stretch& stretch, uint64_t row) -> Result<void> {
        const auto rows = out.subspan(row * weight.columns, stretch.count * weight.columns);
        return weight.input_major ? ReadInputMajor(source, weight, stretch, rows)
                                  : ReadOutputMajor(source, weight, stretch, rows);
      });
  if (!read) return std::move(read).error().InTensor(tensor.name).InFile(tensor.file);
  if (AllFinite(out)) return {};
  const auto bad =
      std::find_if(out.begin(), out.end(), [](float value) { return !std::isfinite(value); });
  const auto index = static_cast<uint64_t>(bad - out.begin());
  return NotFinite(tensor, weight, first_row + index / weight.columns, index % weight.columns,
                   *bad);
}

}  // namespace

uint64_t RowsPerBlock(const Weight& weight) {
  const uint64_t elements = weight.input_major ? kInputMajorBlockElements : kBlockElements;
  return std::max<uint64_t>(1, elements / std::max<uint64_t>(1, weight.columns));
}

Result<FloatMatrix> ReadWeight(const WeightSource& source, const Weight& weight) {
  return ReadWeightRows(source, weight, 0, weight.rows);
}

Result<FloatMatrix> ReadWeightRows(const WeightSource& source, const Weight& weight,
                                   uint64_t first_row, uint64_t count) {
  FloatMatrix rows(count, weight.columns);
  auto read = ReadRows(source, weight, first_row, count, rows.values());
  if (!read) return std::move(read).error();
  return rows;
}

Result<FloatMatrix> ApplyWeight(const WeightSource& source, const Weight& weight,
                                const FloatMatrix& inputs, const LinearOptions& options) {
  constexpr uint64_t kLargest = std::numeric_limits<blasint>::max();
  if (std::max({weight.rows, weight.columns, uint64_t{inputs.rows()}}) > kLargest) {
    return TooLarge(source.tensors()[weight.tensor_index], weight);
  }
  FloatMatrix outputs(inputs.rows(), weight.rows);
  if (inputs.rows() == 0) return outputs;
  const uint64_t rows_per_block = RowsPerBlock(weight);
  const uint64_t block_count = (weight.rows + rows_per_block - 1) / rows_per_block;
  const unsigned threads = options.threads == 0 ? weight.threads : options.threads;
  auto applied = ParallelFor(block_count, threads, [&](size_t i) -> Result<void> {
    const uint64_t first_row = i * rows_per_block;
    const uint64_t count = std::min(rows_per_block, weight.rows - first_row);
    auto block = ReadWeightRows(source, weight, first_row, count);
    if (!block) return std::move(block).error();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(inputs.rows()),
                static_cast<blasint>(count), static_cast<blasint>(weight.columns), 1.0f,
                inputs.values().data(), static_cast<blasint>(weight.columns),
                block->values().data(), static_cast<blasint>(weight.columns), 0.0f,
                outputs.values().data() + first_row, static_cast<blasint>(weight.rows));
    return {};
  });
  if (!applied) return std::move(applied).error();
  return outputs;
}

Result<FloatMatrix> ApplyWeightPlainly(const WeightSource& source, const Weight& weight,
                                       const FloatMatrix& inputs) {
  auto values = ReadWeight(source, weight);
  if (!values) return std::move(values).error();
  FloatMatrix outputs(inputs.rows(), weight.rows);
  for (size_t n = 0; n < inputs.rows(); ++n) {
    for (uint64_t row = 0; row < weight.rows; ++row) {
      double sum = 0;
      for (uint64_t column = 0; column < weight.columns; ++column) {
        sum += static_cast<double>(values->Row(row)[column]) * inputs.Row(n)[column];
      }
      outputs.Row(n)[row] = static_cast<float>(sum);
    }
  }
  return outputs;
}

}  // namespace tensorguard
