#include "paper/responses/loss_gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "base/try.h"
#include "paper/responses/row_blocks.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostSlabs =
    64;  // more than any thread count we expect; each costs `width` sums

// Sum over a run of rows of exp(logit - greatest) and of exp(logit - greatest) * row.
struct SoftmaxSum {
  double greatest_logit = -std::numeric_limits<double>::infinity();
  double weight = 0;
  std::vector<double> weighted_row;

  // Makes `logit` fit under the greatest, shrinking what is there.
  void Raise(double logit) {
    if (logit <= greatest_logit) return;
    const double shrink = std::exp(greatest_logit - logit);
    weight *= shrink;
    for (double& value : weighted_row) value *= shrink;
    greatest_logit = logit;
  }
};

bool AllFinite(std::span<const Responses> logits) {
  return std::all_of(logits.begin(), logits.end(),
                     [](const Responses& row) { return std::isfinite(row[0]); });
}

// Rows so wide that a block holds only a part of one are read twice: for the logit, then for the
// sum.
template <class Number>
Result<void> AddWideRows(const WeightSource& weights, size_t tensor_index, const InputBlock& input,
                         uint64_t first_row, uint64_t last_row, SoftmaxSum& sum) {
  for (uint64_t row = first_row; row < last_row; ++row) {
    Responses logit = {};
    auto read = ForEachBlock<Number>(weights, tensor_index, input.width(), row, row + 1,
                                     [&](const RowBlock& block, const Number* numbers) {
                                       AddResponses(numbers, 1, block.column_count, input,
                                                    block.first_column, &logit);
                                     });
    if (!read) return read;
    if (!AllFinite({&logit, 1})) return NotFiniteWeights(weights.tensors()[tensor_index]);
    sum.Raise(logit[0]);
    const auto weight = static_cast<float>(std::exp(logit[0] - sum.greatest_logit));
    sum.weight += static_cast<double>(weight);
    read = ForEachBlock<Number>(weights, tensor_index, input.width(), row, row + 1,
                                [&](const RowBlock& block, const Number* numbers) {
                                  AddWeightedRows(numbers, 1, block.column_count, &weight,
                                                  sum.weighted_row.data() + block.first_column);
                                });
    if (!read) return read;
  }
  return {};
}

template <class Number>
Result<void> AddRows(const WeightSource& weights, size_t tensor_index, const InputBlock& input,
                     uint64_t first_row, uint64_t last_row, SoftmaxSum& sum) {
  const uint64_t columns = input.width();
  if (columns > kBlockElements) {
    return AddWideRows<Number>(weights, tensor_index, input, first_row, last_row, sum);
  }
  std::vector<Responses> logits;
  std::vector<float> row_weights;
  bool finite = true;
  auto read = ForEachBlock<Number>(
      weights, tensor_index, columns, first_row, last_row,
      [&](const RowBlock& block, const Number* numbers) {
        logits.assign(block.row_count, Responses{});
        AddResponses(numbers, block.row_count, columns, input, 0, logits.data());
        finite = finite && AllFinite(logits);
        if (!finite) return;
        double greatest = logits[0][0];
        for (const Responses& row : logits) greatest = std::max(greatest, row[0]);
        sum.Raise(greatest);
        row_weights.resize(block.row_count);
        for (uint64_t r = 0; r < block.row_count; ++r) {
          row_weights[r] = static_cast<float>(std::exp(logits[r][0] - sum.greatest_logit));
          sum.weight += static_cast<double>(row_weights[r]);
        }
        AddWeightedRows(numbers, block.row_count, columns, row_weights.data(),
                        sum.weighted_row.data());
      });
  if (read && !finite) return NotFiniteWeights(weights.tensors()[tensor_index]);
  return read;
}

// The slabs' sums as one gradient, in the slabs' order.
std::vector<double> Combine(std::span<SoftmaxSum> slabs, std::span<const float> target_row) {
  SoftmaxSum total;
  total.weighted_row.assign(target_row.size(), 0.0);
  for (const SoftmaxSum& slab : slabs) {
    total.Raise(slab.greatest_logit);
    const double scale = std::exp(slab.greatest_logit - total.greatest_logit);
    total.weight += scale * slab.weight;
    for (size_t c = 0; c < target_row.size(); ++c) {
      total.weighted_row[c] += scale * slab.weighted_row[c];
    }
  }
  std::vector<double> gradient(target_row.size());
  for (size_t c = 0; c < gradient.size(); ++c) {
    gradient[c] = total.weighted_row[c] / total.weight - static_cast<double>(target_row[c]);
  }
  return gradient;
}

}  // namespace

Result<std::vector<double>> CrossEntropyGradient(const WeightSource& weights, size_t tensor_index,
                                                 const std::vector<float>& x, uint64_t target,
                                                 unsigned threads,
                                                 const BytesReadCallback& on_read) {
  const TensorInfo& tensor = weights.tensors()[tensor_index];
  const uint64_t rows = tensor.shape[0];
  const uint64_t columns = tensor.shape[1];
  const InputBlock input(columns, {&x, 1});

  // How the rows are cut depends on the shape alone, never on the number of threads.
  const uint64_t slab_count = std::min(rows, kMostSlabs);
  std::vector<SoftmaxSum> slabs(slab_count);
  auto summed = ParallelFor(slab_count, threads, [&](size_t i) {
    const uint64_t first_row = rows * i / slab_count;
    const uint64_t last_row = rows * (i + 1) / slab_count;
    slabs[i].weighted_row.assign(columns, 0.0);
    const auto add_rows = weights.IsBFloat16(tensor_index) ? &AddRows<BFloat16> : &AddRows<float>;
    auto added = add_rows(weights, tensor_index, input, first_row, last_row, slabs[i]);
    if (added && on_read) on_read(tensor.stored_bytes * (last_row - first_row) / rows);
    return added;
  });
  if (!summed) return std::move(summed).error().InTensor(tensor.name).InFile(tensor.file);

  std::vector<float> target_row(columns);
  auto read = weights.ReadFloat32(tensor_index, target * columns, target_row);
  if (!read) return std::move(read).error().InTensor(tensor.name).InFile(tensor.file);
  return Combine(slabs, target_row);
}

Result<std::vector<double>> CrossEntropyGradientReference(const WeightSource& weights,
                                                          size_t tensor_index,
                                                          const std::vector<float>& x,
                                                          uint64_t target) {
  const TensorInfo& tensor = weights.tensors()[tensor_index];
  const uint64_t rows = tensor.shape[0];
  const uint64_t columns = tensor.shape[1];
  std::vector<float> values(tensor.element_count);
  TG_TRY(weights.ReadFloat32(tensor_index, 0, values));

  std::vector<double> probabilities(rows);
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      probabilities[r] += static_cast<double>(values[r * columns + c]) * x[c];
    }
  }
  const double greatest = *std::max_element(probabilities.begin(), probabilities.end());
  double sum = 0;
  for (double& p : probabilities) sum += p = std::exp(p - greatest);
  std::vector<double> gradient(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    const double weight = probabilities[r] / sum - (r == target ? 1.0 : 0.0);
    for (uint64_t c = 0; c < columns; ++c) gradient[c] += weight * values[r * columns + c];
  }
  return gradient;
}

}  // namespace tensorguard::internal
