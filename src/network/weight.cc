#include "network/weight.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "base/try.h"
#include "network/parts/matrix_columns.h"
#include "numerics/matrix_product.h"

namespace tensorguard::internal {
namespace {

// Small enough for a core's own cache, large enough for an efficient matrix product.
constexpr uint64_t kBlockElements = uint64_t{1} << 18;
// An input-major weight is read in short stretches of a row of storage, which are longer the more
// blocks are read together.
constexpr uint64_t kInputMajorBlocks = 16;

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

Result<void> ReadElements(const WeightSource& source, size_t tensor, uint64_t first,
                          std::span<float> out) {
  return source.ReadFloat32(tensor, first, out);
}

Result<void> ReadElements(const WeightSource& source, size_t tensor, uint64_t first,
                          std::span<BFloat16> out) {
  return source.ReadBFloat16(tensor, first, out);
}

template <typename Number>
Result<void> ReadOutputMajor(const WeightSource& source, const Weight& weight,
                             const Stretch& stretch, std::span<Number> out) {
  const uint64_t columns = weight.columns;
  const uint64_t together = stretch.step == 1 ? stretch.count : 1;
  for (uint64_t row = 0; row < stretch.count; row += together) {
    const uint64_t stored = stretch.first + row * stretch.step;
    auto read = ReadElements(source, weight.tensor_index, weight.first_element + stored * columns,
                             out.subspan(row * columns, together * columns));
    if (!read) return read;
  }
  return {};
}

// A row of storage holds one input of all outputs: reads the part of it that spans the stretch,
// some inputs at a time, and turns them round.
template <typename Number>
Result<void> ReadInputMajor(const WeightSource& source, const Weight& weight,
                            const Stretch& stretch, std::span<Number> out) {
  const uint64_t span = (stretch.count - 1) * stretch.step + 1;
  std::vector<Number> inputs(std::min(kTurnedInputs, weight.columns) * span);
  for (uint64_t first = 0; first < weight.columns; first += kTurnedInputs) {
    const uint64_t count = std::min(kTurnedInputs, weight.columns - first);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t element =
          weight.first_element + (first + i) * weight.stored_rows + stretch.first;
      auto read = ReadElements(source, weight.tensor_index, element,
                               std::span(inputs).subspan(i * span, span));
      if (!read) return read;
    }
    for (uint64_t row = 0; row < stretch.count; ++row) {
      const Number* from = &inputs[row * stretch.step];
      Number* to = &out[row * weight.columns + first];
      for (uint64_t i = 0; i < count; ++i) to[i] = from[i * span];
    }
  }
  return {};
}

// The same where the groups are stored one after the other, each turned by itself.
template <typename Number>
Result<void> ReadTurnedGroups(const WeightSource& source, const Weight& weight,
                              const Stretch& stretch, std::span<Number> out) {
  const uint64_t rows = weight.rows / weight.groups;
  for (uint64_t done = 0; done < stretch.count;) {
    const uint64_t row = stretch.first + done;
    const uint64_t group = row / rows;
    const uint64_t count = std::min(stretch.count - done, (group + 1) * rows - row);
    Weight part = weight;
    part.first_element += group * rows * weight.columns;
    part.stored_rows = rows;
    TG_TRY(ReadInputMajor(source, part, {.first = row - group * rows, .count = count},
                          out.subspan(done * weight.columns, count * weight.columns)));
    done += count;
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

bool AllFinite(std::span<const BFloat16> values) {
  constexpr uint16_t kExponent = 0x7f80;
  uint16_t found = 0;
  for (const BFloat16 value : values) {
    found |= static_cast<uint16_t>((static_cast<uint16_t>(value) & kExponent) == kExponent);
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

// Rows [first_row, first_row + count) into `out`, as they are stored.
template <typename Number>
Result<void> ReadRows(const WeightSource& source, const Weight& weight, uint64_t first_row,
                      uint64_t count, std::span<Number> out) {
  const TensorInfo& tensor = source.tensors()[weight.tensor_index];
  auto read = ForEachStretch(
      weight, first_row, count, [&](const Stretch& stretch, uint64_t row) -> Result<void> {
        const auto rows = out.subspan(row * weight.columns, stretch.count * weight.columns);
        if (weight.input_major && weight.groups > 1) {
          return ReadTurnedGroups(source, weight, stretch, rows);
        }
        return weight.input_major ? ReadInputMajor(source, weight, stretch, rows)
                                  : ReadOutputMajor(source, weight, stretch, rows);
      });
  if (!read) return std::move(read).error().InTensor(tensor.name).InFile(tensor.file);
  return {};
}

// Of rows of a weight from `first_row` on.
template <typename Number>
Result<void> CheckFinite(const WeightSource& source, const Weight& weight, uint64_t first_row,
                         std::span<const Number> rows) {
  if (AllFinite(rows)) return {};
  const auto bad = std::find_if(rows.begin(), rows.end(),
                                [](Number value) { return !std::isfinite(ToFloat32(value)); });
  const auto index = static_cast<uint64_t>(bad - rows.begin());
  return NotFinite(source.tensors()[weight.tensor_index], weight,
                   first_row + index / weight.columns, index % weight.columns, ToFloat32(*bad));
}

Result<void> CheckFinite(const WeightSource& source, const Weight& weight,
                         const WeightBlock& block) {
  return std::visit(
      [&](auto values) { return CheckFinite(source, weight, block.first_row, values); },
      block.values);
}

// As ReadBlocks, numbers unchecked.
template <typename Number>
Result<void> ReadBlocksOf(const WeightSource& source, const Weight& weight, uint64_t first_block,
                          const std::function<Result<void>(const WeightBlock&)>& use) {
  const uint64_t rows_per_block = RowsPerBlock(weight);
  const uint64_t first_row = first_block * rows_per_block;
  const uint64_t rows =
      std::min(BlocksPerReading(weight) * rows_per_block, weight.rows - first_row);
  // Kept for the thread's next block: new memory would be cleared by the system each time.
  thread_local std::vector<Number> buffer;
  if (buffer.size() < rows * weight.columns) buffer.resize(rows * weight.columns);
  const auto values = std::span(buffer).first(rows * weight.columns);
  auto read = ReadRows(source, weight, first_row, rows, values);
  if (!read) return read;
  for (uint64_t done = 0; done < rows; done += rows_per_block) {
    const uint64_t count = std::min(rows_per_block, rows - done);
    auto used = use({.index = first_block + done / rows_per_block,
                     .first_row = first_row + done,
                     .rows = count,
                     .values = std::span<const Number>(
                         values.subspan(done * weight.columns, count * weight.columns))});
    if (!used) return used;
  }
  return {};
}

Result<void> ReadUnchecked(const WeightSource& source, const Weight& weight, uint64_t first_block,
                           const std::function<Result<void>(const WeightBlock&)>& use) {
  return source.IsBFloat16(weight.tensor_index)
             ? ReadBlocksOf<BFloat16>(source, weight, first_block, use)
             : ReadBlocksOf<float>(source, weight, first_block, use);
}

// Inputs as a weight's numbers are multiplied with: rounded to bfloat16 where it is stored so.
using ProductInputs = std::variant<std::span<const float>, std::vector<BFloat16>>;

ProductInputs InputsFor(const WeightSource& source, const Weight& weight,
                        const FloatMatrix& inputs) {
  if (!source.IsBFloat16(weight.tensor_index)) return inputs.values();
  std::vector<BFloat16> rounded(inputs.values().size());
  std::transform(inputs.values().begin(), inputs.values().end(), rounded.begin(), RoundToBFloat16);
  return rounded;
}

// The inputs of each group, as the weight's numbers are multiplied with.
class GroupInputs {
 public:
  GroupInputs(const WeightSource& source, const Weight& weight, const FloatMatrix& inputs) {
    if (weight.groups == 1) {
      products_.push_back(InputsFor(source, weight, inputs));
      return;
    }
    columns_.reserve(weight.groups);  // the products view them
    for (uint64_t group = 0; group < weight.groups; ++group) {
      columns_.push_back(Columns(inputs, group * weight.columns, weight.columns));
      products_.push_back(InputsFor(source, weight, columns_.back()));
    }
  }

  const ProductInputs& Of(uint64_t group) const { return products_[group]; }

 private:
  std::vector<FloatMatrix> columns_;
  std::vector<ProductInputs> products_;
};

// inputs [n, columns] times rows [begin, end) of the weight, which lie in the block and in one
// group, transposed, into their columns of outputs [n, rows].
Result<void> ApplyRows(const Weight& weight, const WeightBlock& block, const ProductInputs& inputs,
                       uint64_t begin, uint64_t end, FloatMatrix& outputs) {
  const ProductShape shape = {
      .rows = outputs.rows(), .columns = end - begin, .inner = weight.columns};
  const ProductRows product = {outputs.values().data() + begin, weight.rows};
  const uint64_t first = (begin - block.first_row) * weight.columns;
  const uint64_t count = (end - begin) * weight.columns;
  if (const auto* rounded = std::get_if<std::vector<BFloat16>>(&inputs)) {
    return Multiply(*rounded,
                    std::get<std::span<const BFloat16>>(block.values).subspan(first, count),
                    RightSide::kTransposed, shape, product);
  }
  return Multiply(std::get<std::span<const float>>(inputs),
                  std::get<std::span<const float>>(block.values).subspan(first, count),
                  RightSide::kTransposed, shape, product);
}

Result<void> ApplyBlock(const Weight& weight, const WeightBlock& block, const GroupInputs& inputs,
                        FloatMatrix& outputs) {
  const uint64_t rows_of_group = weight.rows / weight.groups;
  const uint64_t last = block.first_row + block.rows;
  for (uint64_t begin = block.first_row; begin < last;) {
    const uint64_t group = begin / rows_of_group;
    const uint64_t end = std::min(last, (group + 1) * rows_of_group);
    TG_TRY(ApplyRows(weight, block, inputs.Of(group), begin, end, outputs));
    begin = end;
  }
  return {};
}

// Whether all that a block made is finite. A number of the block that is not makes everything that
// its row gives infinite or NaN, so that the many weights need no look where the few outputs are
// fine.
bool RowsAreFinite(const FloatMatrix& outputs, const WeightBlock& block) {
  return AllFinite(outputs.Row(0).subspan(block.first_row, block.rows));
}

}  // namespace

uint64_t RowsPerBlock(const Weight& weight) {
  return std::max<uint64_t>(1, kBlockElements / std::max<uint64_t>(1, weight.columns));
}

uint64_t BlockCount(const Weight& weight) {
  const uint64_t rows = RowsPerBlock(weight);
  return (weight.rows + rows - 1) / rows;
}

uint64_t BlocksPerReading(const Weight& weight) {
  return weight.input_major ? kInputMajorBlocks : 1;
}

Result<FloatMatrix> ReadWeight(const WeightSource& source, const Weight& weight) {
  return ReadWeightRows(source, weight, 0, weight.rows);
}

Result<FloatMatrix> ReadWeightRows(const WeightSource& source, const Weight& weight,
                                   uint64_t first_row, uint64_t count) {
  FloatMatrix rows(count, weight.columns);
  TG_TRY(ReadRows(source, weight, first_row, count, rows.values()));
  TG_TRY(CheckFinite<float>(source, weight, first_row, rows.values()));
  return rows;
}

Result<void> ReadBlocks(const WeightSource& source, const Weight& weight, uint64_t first_block,
                        const std::function<Result<void>(const WeightBlock&)>& use) {
  return ReadUnchecked(source, weight, first_block, [&](const WeightBlock& block) -> Result<void> {
    auto finite = CheckFinite(source, weight, block);
    return finite ? use(block) : finite;
  });
}

Result<FloatMatrix> ApplyWeight(const WeightSource& source, const Weight& weight,
                                const FloatMatrix& inputs, const LinearOptions& options) {
  constexpr uint64_t kLargest = std::numeric_limits<int32_t>::max();
  if (std::max({weight.rows, weight.columns, uint64_t{inputs.rows()}}) > kLargest) {
    return TooLarge(source.tensors()[weight.tensor_index], weight);
  }
  FloatMatrix outputs(inputs.rows(), weight.rows);
  if (inputs.rows() == 0) return outputs;
  const GroupInputs product_inputs(source, weight, inputs);
  const uint64_t together = BlocksPerReading(weight);
  const uint64_t readings = (BlockCount(weight) + together - 1) / together;
  const unsigned threads = options.threads == 0 ? weight.threads : options.threads;
  auto applied = ParallelFor(readings, threads, [&](size_t i) {
    return ReadUnchecked(
        source, weight, i * together, [&](const WeightBlock& block) -> Result<void> {
          auto product = ApplyBlock(weight, block, product_inputs, outputs);
          if (!product) return product;
          if (!RowsAreFinite(outputs, block)) {
            auto finite = CheckFinite(source, weight, block);
            if (!finite) return finite;
          }
          return weight.observer == nullptr ? Result<void>()
                                            : weight.observer->Observe(weight, block);
        });
  });
  if (!applied) return std::move(applied).error();
  return outputs;
}

Result<FloatMatrix> ApplyWeightPlainly(const WeightSource& source, const Weight& weight,
                                       const FloatMatrix& inputs) {
  TG_ASSIGN(auto values, ReadWeight(source, weight));
  const bool rounded = source.IsBFloat16(weight.tensor_index);
  FloatMatrix outputs(inputs.rows(), weight.rows);
  for (size_t n = 0; n < inputs.rows(); ++n) {
    for (uint64_t row = 0; row < weight.rows; ++row) {
      double sum = 0;
      for (uint64_t column = 0; column < weight.columns; ++column) {
        const uint64_t group = row / (weight.rows / weight.groups);
        const float input = inputs.Row(n)[group * weight.columns + column];
        sum += static_cast<double>(values.Row(row)[column]) *
               (rounded ? ToFloat32(RoundToBFloat16(input)) : input);
      }
      outputs.Row(n)[row] = static_cast<float>(sum);
    }
  }
  return outputs;
}

}  // namespace tensorguard::internal
