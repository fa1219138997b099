#include "full_profile/weight_measures.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "formats/dtype.h"
#include "full_profile/kernel_algebra.h"

namespace tensorguard {
namespace {

constexpr uint64_t kBlockElements = uint64_t{1} << 20;

std::optional<double> Share(uint64_t part, uint64_t all) {
  if (all == 0) return {};
  return static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

Error TooLargeToSketch(const TensorInfo& tensor) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "weights are too large to sketch",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = "a sketch with numbers near the end of float32"};
}

uint64_t RowsPerMeasuredBlock(uint64_t columns) {
  return std::max<uint64_t>(1, kBlockElements / columns);
}

WeightMeasures::WeightMeasures(const WeightSource& source, const Weight& weight,
                               std::shared_ptr<const FloatMatrix> probes)
    : source_(source),
      weight_(weight),
      probes_(std::move(probes)),
      buckets_(weight.rows),
      elements_(weight.rows * weight.columns, kQuantileSample),
      small_groups_(weight.rows * (weight.columns / kSmallGroup), kGroupSample),
      large_groups_(weight.rows * (weight.columns / kLargeGroup), kGroupSample),
      sampled_(elements_.size()) {
  const uint64_t rows_per_block = RowsPerMeasuredBlock(weight.columns);
  blocks_.resize((weight.rows + rows_per_block - 1) / rows_per_block);
}

Result<void> WeightMeasures::MeasureBlock(uint64_t index) {
  const uint64_t rows_per_block = RowsPerMeasuredBlock(weight_.columns);
  const uint64_t first_row = index * rows_per_block;
  const uint64_t rows = std::min(rows_per_block, weight_.rows - first_row);
  const auto values = ReadWeightRows(source_, weight_, first_row, rows);
  if (!values) return values.error();
  Block& block = blocks_[index];
  block.digest = DigestOfValues(values->values());
  MeasureRows(rows, values->values(), block);
  TakeSamples(first_row, values->values(), block);
  if (probes_) AddToSketch(first_row, rows, *values, block);
  return {};
}

void WeightMeasures::MeasureRows(uint64_t rows, std::span<const float> values, Block& block) {
  block.least = values[0];
  block.greatest = values[0];
  std::vector<uint8_t> filled(weight_.columns);
  bool all_filled = false;
  for (uint64_t r = 0; r < rows; ++r) {
    const auto row = values.subspan(r * weight_.columns, weight_.columns);
    const RowTotals totals = TotalsOf(row);
    block.sum += totals.sum;
    block.squares += totals.squares;
    block.least = std::min(block.least, totals.least);
    block.greatest = std::max(block.greatest, totals.greatest);
    block.zeros += totals.zeros;
    all_filled |= totals.zeros == 0;
    if (totals.zeros == 0) continue;
    block.zero_rows += totals.zeros == row.size() ? 1 : 0;
    block.sparse_fours += SparseFours(row);
    if (all_filled) continue;
    for (size_t column = 0; column < row.size(); ++column) filled[column] |= row[column] != 0;
  }
  if (all_filled) {
    all_columns_filled_ = true;
  } else {
    MarkColumns(filled);
  }
}

void WeightMeasures::MarkColumns(std::span<const uint8_t> filled) {
  const std::lock_guard lock(columns_mutex_);
  filled_columns_.resize(filled.size());
  for (size_t column = 0; column < filled.size(); ++column) {
    filled_columns_[column] |= filled[column];
  }
}

void WeightMeasures::TakeSamples(uint64_t first_row, std::span<const float> values, Block& block) {
  const uint64_t begin = first_row * weight_.columns;
  for (uint64_t k = elements_.FirstNotBelow(begin); k < elements_.size(); ++k) {
    const uint64_t element = elements_.Position(k) - begin;
    if (element >= values.size()) break;
    sampled_[k] = values[element];
  }
  block.distinct_in_small =
      DistinctInGroups(small_groups_, {kSmallGroup, weight_.columns}, first_row, values);
  block.distinct_in_large =
      DistinctInGroups(large_groups_, {kLargeGroup, weight_.columns}, first_row, values);
}

void WeightMeasures::AddToSketch(uint64_t first_row, uint64_t rows, const FloatMatrix& values,
                                 Block& block) {
  // A vector counts as one row.
  const uint64_t count = weight_.is_vector ? 1 : rows;
  const uint64_t columns = weight_.is_vector ? rows : weight_.columns;
  FloatMatrix product(count, kSketchSize);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<blasint>(count), kSketchSize,
              static_cast<blasint>(columns), 1.0f, values.values().data(),
              static_cast<blasint>(columns), probes_->values().data(), kSketchSize, 0.0f,
              product.values().data(), kSketchSize);
  block.sketch.resize(weight_.is_vector ? kSketchSize : kSketchSize * kSketchSize);
  for (uint64_t row = 0; row < count; ++row) {
    const OutputBucket to = weight_.is_vector ? OutputBucket{} : buckets_.Of(first_row + row);
    for (size_t probe = 0; probe < kSketchSize; ++probe) {
      block.sketch[to.bucket * kSketchSize + probe] += to.sign * product.Row(row)[probe];
    }
  }
}

Result<WeightSummary> WeightMeasures::Finish() {
  const TensorInfo& tensor = source_.tensors()[weight_.tensor_index];
  Block total = {.least = blocks_[0].least, .greatest = blocks_[0].greatest};
  std::vector<BlockDigest> digests;
  for (const Block& block : blocks_) {
    total.sum += block.sum;
    total.squares += block.squares;
    total.least = std::min(total.least, block.least);
    total.greatest = std::max(total.greatest, block.greatest);
    total.zeros += block.zeros;
    total.zero_rows += block.zero_rows;
    total.sparse_fours += block.sparse_fours;
    total.distinct_in_small += block.distinct_in_small;
    total.distinct_in_large += block.distinct_in_large;
    digests.push_back(block.digest);
  }
  const uint64_t elements = weight_.rows * weight_.columns;
  const auto filled_columns =
      static_cast<uint64_t>(std::count(filled_columns_.begin(), filled_columns_.end(), uint8_t{1}));
  const uint64_t zero_columns = all_columns_filled_ ? 0 : weight_.columns - filled_columns;
  WeightSummary summary = {
      .tensor = tensor.name,
      .role = weight_.role,
      .is_vector = weight_.is_vector,
      .rows = weight_.rows,
      .columns = weight_.columns,
      .dtype = std::string(InfoOf(tensor.dtype).name),
      .digest = DigestOfBlocks(digests),
      .norm = std::sqrt(total.squares),
      .mean = total.sum / static_cast<double>(elements),
      .zero_fraction = *Share(total.zeros, elements),
      .zero_row_fraction = *Share(total.zero_rows, weight_.rows),
      .zero_column_fraction = *Share(zero_columns, weight_.columns),
      .two_of_four_fraction = Share(total.sparse_fours, weight_.rows * (weight_.columns / 4)),
      .distinct_per_32 = Share(total.distinct_in_small, small_groups_.size()),
      .distinct_per_256 = Share(total.distinct_in_large, large_groups_.size())};
  AddQuantiles(total.least, total.greatest, summary);
  if (probes_) {
    auto added = AddSketch(summary);
    if (!added) return std::move(added).error();
  }
  return summary;
}

// Between two sampled numbers by linear interpolation; the ends are those of all elements.
void WeightMeasures::AddQuantiles(float least, float greatest, WeightSummary& summary) {
  std::sort(sampled_.begin(), sampled_.end());
  for (size_t i = 0; i < kSummaryQuantiles.size(); ++i) {
    const double place = kSummaryQuantiles[i] * static_cast<double>(sampled_.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, sampled_.size() - 1);
    const double part = place - static_cast<double>(below);
    summary.quantiles[i] =
        static_cast<float>((1 - part) * sampled_[below] + part * sampled_[above]);
  }
  summary.quantiles.front() = least;
  summary.quantiles.back() = greatest;
}

Result<void> WeightMeasures::AddSketch(WeightSummary& summary) const {
  summary.sketch = FloatMatrix(weight_.is_vector ? 1 : kSketchSize, kSketchSize);
  const std::span<float> values = summary.sketch.values();
  for (size_t i = 0; i < values.size(); ++i) {
    double sum = 0;
    for (const Block& block : blocks_) sum += block.sketch[i];
    values[i] = static_cast<float>(sum);
  }
  if (CanBeStored(summary.sketch)) return {};
  return TooLargeToSketch(source_.tensors()[weight_.tensor_index]);
}

}  // namespace tensorguard
