#include "paper/responses/tensor_response.h"

#include <cmath>

#include "base/parallel.h"
#include "base/try.h"
#include "paper/responses/row_blocks.h"

namespace tensorguard::internal {
namespace {

// Powers are summed in row order, so that the result does not depend on who computed which row.
TensorResponse Summarise(std::span<const Responses> rows) {
  TensorResponse summary;
  for (size_t k = 0; k < kNoiseCount; ++k) {
    double sum_of_squares = 0;
    for (const Responses& row : rows) sum_of_squares += row[k] * row[k];
    InputResponse& response = summary[k];
    response.norm = std::sqrt(sum_of_squares);
    if (response.norm == 0) continue;
    for (const Responses& row : rows) {
      const double u = row[k] / response.norm;
      response.unit_moments[0] += u;
      response.unit_moments[1] += u * u;
      response.unit_moments[2] += u * u * u;
      response.unit_moments[3] += u * u * u * u;
    }
    for (double& moment : response.unit_moments) moment /= static_cast<double>(rows.size());
  }
  return summary;
}

Result<TensorResponse> Finite(TensorResponse response, const TensorInfo& tensor) {
  for (const InputResponse& input_response : response) {
    if (!std::isfinite(input_response.norm)) return NotFiniteWeights(tensor);
  }
  return response;
}

template <class Number>
Result<std::vector<Responses>> ResponsesOfRows(const WeightSource& weights, size_t tensor_index,
                                               const InputBlock& inputs, unsigned threads,
                                               const BytesReadCallback& on_read) {
  const TensorInfo& tensor = weights.tensors()[tensor_index];
  const uint64_t row_count = tensor.shape[0];
  const uint64_t columns = tensor.shape[1];
  std::vector<Responses> responses(row_count);

  const uint64_t rows_per_block = RowsReadAtOnce(columns);
  const uint64_t block_count = (row_count + rows_per_block - 1) / rows_per_block;
  auto measured = ParallelFor(block_count, threads, [&](size_t i) {
    const uint64_t first_row = i * rows_per_block;
    const uint64_t last_row = std::min(row_count, first_row + rows_per_block);
    auto read =
        ForEachBlock<Number>(weights, tensor_index, columns, first_row, last_row,
                             [&](const RowBlock& block, const Number* numbers) {
                               AddResponses(numbers, block.row_count, block.column_count, inputs,
                                            block.first_column, &responses[block.first_row]);
                             });
    if (read && on_read) {
      on_read(tensor.stored_bytes * (last_row - first_row) / row_count);
    }
    return read;
  });
  if (!measured) return std::move(measured).error();
  return responses;
}

}  // namespace

Error NotFiniteWeights(const TensorInfo& tensor) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "weights are not finite numbers",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = "NaN or infinity, or numbers too large to sum"};
}

Result<TensorResponse> MeasureResponse(const WeightSource& weights, size_t tensor_index,
                                       const InputBlock& inputs, unsigned threads,
                                       const BytesReadCallback& on_read) {
  const TensorInfo& tensor = weights.tensors()[tensor_index];
  const auto responses =
      weights.IsBFloat16(tensor_index)
          ? ResponsesOfRows<BFloat16>(weights, tensor_index, inputs, threads, on_read)
          : ResponsesOfRows<float>(weights, tensor_index, inputs, threads, on_read);
  if (!responses) return Error(responses.error()).InTensor(tensor.name).InFile(tensor.file);
  return Finite(Summarise(*responses), tensor);
}

Result<TensorResponse> MeasureResponseReference(const WeightSource& weights, size_t tensor_index,
                                                std::span<const std::vector<float>> inputs) {
  const TensorInfo& tensor = weights.tensors()[tensor_index];
  const uint64_t columns = tensor.shape[1];
  std::vector<float> values(tensor.element_count);
  TG_TRY(weights.ReadFloat32(tensor_index, 0, values));
  std::vector<Responses> responses(tensor.shape[0]);
  for (uint64_t r = 0; r < tensor.shape[0]; ++r) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      for (uint64_t c = 0; c < columns; ++c) {
        responses[r][k] += static_cast<double>(values[r * columns + c]) * inputs[k][c];
      }
    }
  }
  return Finite(Summarise(responses), tensor);
}

}  // namespace tensorguard::internal
