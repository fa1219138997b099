#include "profile/weights/weight_measures.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "base/try.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "numerics/matrix_product.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

std::span<const float> Numbers(const Probes& probes, float) { return probes.float32.values(); }
std::span<const BFloat16> Numbers(const Probes& probes, BFloat16) { return probes.bfloat16; }

std::optional<double> Share(uint64_t part, uint64_t all) {
  if (all == 0) return {};
  return static_cast<double>(part) / static_cast<double>(all);
}

void AddRows(const RowMeasures& block, RowMeasures& total) {
  total.sum += block.sum;
  total.squares += block.squares;
  total.least = std::min(total.least, block.least);
  total.greatest = std::max(total.greatest, block.greatest);
  total.zeros += block.zeros;
  total.zero_rows += block.zero_rows;
  total.sparse_fours += block.sparse_fours;
}

}  // namespace

Error TooLargeToSketch(const TensorInfo& tensor) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "weights are too large to sketch",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = "a sketch with numbers near the end of float32"};
}

Probes::Probes(uint64_t length) : float32(ProbeMatrix(length)), bfloat16(float32.values().size()) {
  std::transform(float32.values().begin(), float32.values().end(), bfloat16.begin(),
                 RoundToBFloat16);
}

WeightMeasures::WeightMeasures(const TensorInfo& tensor, const Weight& weight,
                               std::shared_ptr<const Probes> probes,
                               std::shared_ptr<const RowProbes> row_probes)
    : tensor_(tensor),
      weight_(weight),
      probes_(std::move(probes)),
      row_probes_(std::move(row_probes)),
      buckets_(weight.rows),
      elements_(weight.rows * weight.columns, kQuantileSample),
      small_groups_(weight.rows * (weight.columns / kSmallGroup), kGroupSample),
      large_groups_(weight.rows * (weight.columns / kLargeGroup), kGroupSample),
      blocks_(BlockCount(weight)),
      sampled_(elements_.size()),
      rows_(weight.rows, row_probes_ ? kMostSampledRows : 0) {
  row_sample_.digests.resize(rows_.size());
  if (row_probes_) row_sample_.projections = FloatMatrix(rows_.size(), kRowProjections);
}

Result<void> WeightMeasures::Measure(const WeightBlock& block) {
  return std::visit(
      [&](auto values) { return MeasureValues(block.first_row, values, blocks_[block.index]); },
      block.values);
}

template <typename Number>
Result<void> WeightMeasures::MeasureValues(uint64_t first_row, std::span<const Number> values,
                                           Block& block) {
  block.digest = DigestOfValues(values);
  if constexpr (std::is_same_v<Number, float>) {
    block.as_bfloat16 = DigestAsBFloat16(values);
    block.as_float16 =
        tensor_.dtype == DType::kF16 ? std::optional(block.digest) : DigestAsFloat16(values);
  }
  block.rows = MeasureRows(values, weight_.columns);
  if (block.rows.filled_columns.empty()) {
    all_columns_filled_ = true;
  } else {
    MarkColumns(std::exchange(block.rows.filled_columns, {}));
  }
  TakeSamples(first_row, values, block);
  if (row_probes_) SampleRows(first_row, values);
  return probes_ ? AddToSketch(first_row, values, block) : Result<void>();
}

void WeightMeasures::MarkColumns(const std::vector<uint8_t>& filled) {
  const std::lock_guard lock(columns_mutex_);
  filled_columns_.resize(filled.size());
  for (size_t column = 0; column < filled.size(); ++column) {
    filled_columns_[column] |= filled[column];
  }
}

template <typename Number>
void WeightMeasures::TakeSamples(uint64_t first_row, std::span<const Number> values, Block& block) {
  const uint64_t begin = first_row * weight_.columns;
  for (uint64_t k = elements_.FirstNotBelow(begin); k < elements_.size(); ++k) {
    const uint64_t element = elements_.Position(k) - begin;
    if (element >= values.size()) break;
    sampled_[k] = ToFloat32(values[element]);
  }
  block.distinct_in_small =
      DistinctInGroups(small_groups_, {kSmallGroup, weight_.columns}, first_row, values);
  block.distinct_in_large =
      DistinctInGroups(large_groups_, {kLargeGroup, weight_.columns}, first_row, values);
}

template <typename Number>
void WeightMeasures::SampleRows(uint64_t first_row, std::span<const Number> values) {
  const uint64_t end = first_row + values.size() / weight_.columns;
  for (uint64_t k = rows_.FirstNotBelow(first_row); k < rows_.size(); ++k) {
    const uint64_t row = rows_.Position(k);
    if (row >= end) break;
    const auto numbers = values.subspan((row - first_row) * weight_.columns, weight_.columns);
    const SampledRow sampled = SampleRow(numbers, *row_probes_);
    row_sample_.digests[k] = sampled.digest;
    std::ranges::copy(sampled.projections, row_sample_.projections.Row(k).begin());
  }
}

template <typename Number>
Result<void> WeightMeasures::AddToSketch(uint64_t first_row, std::span<const Number> values,
                                         Block& block) {
  // A vector counts as one row.
  const uint64_t columns = weight_.is_vector ? weight_.rows : weight_.columns;
  const uint64_t rows = values.size() / columns;
  FloatMatrix product(rows, kSketchSize);
  auto multiplied = Multiply(values, Numbers(*probes_, Number()), RightSide::kAsIs,
                             {.rows = rows, .columns = kSketchSize, .inner = columns},
                             {product.values().data(), kSketchSize});
  if (!multiplied) return multiplied;
  block.sketch.resize(weight_.is_vector ? kSketchSize : kSketchSize * kSketchSize);
  for (uint64_t row = 0; row < rows; ++row) {
    const OutputBucket to = weight_.is_vector ? OutputBucket{} : buckets_.Of(first_row + row);
    for (size_t probe = 0; probe < kSketchSize; ++probe) {
      block.sketch[to.bucket * kSketchSize + probe] += to.sign * product.Row(row)[probe];
    }
  }
  return {};
}

Result<WeightSummary> WeightMeasures::Finish() {
  Block total = {.rows = {.least = blocks_[0].rows.least, .greatest = blocks_[0].rows.greatest}};
  for (const Block& block : blocks_) {
    AddRows(block.rows, total.rows);
    total.distinct_in_small += block.distinct_in_small;
    total.distinct_in_large += block.distinct_in_large;
  }

  const uint64_t elements = weight_.rows * weight_.columns;
  const auto filled_columns =
      static_cast<uint64_t>(std::count(filled_columns_.begin(), filled_columns_.end(), uint8_t{1}));
  const uint64_t zero_columns = all_columns_filled_ ? 0 : weight_.columns - filled_columns;
  WeightSummary summary = {
      .tensor = tensor_.name,
      .role = weight_.role,
      .is_vector = weight_.is_vector,
      .rows = weight_.rows,
      .columns = weight_.columns,
      .dtype = std::string(InfoOf(tensor_.dtype).name),
      .quantisation = tensor_.quantisation,
      .norm = std::sqrt(total.rows.squares),
      .mean = total.rows.sum / static_cast<double>(elements),
      .zero_fraction = *Share(total.rows.zeros, elements),
      .zero_row_fraction = *Share(total.rows.zero_rows, weight_.rows),
      .zero_column_fraction = *Share(zero_columns, weight_.columns),
      .two_of_four_fraction = Share(total.rows.sparse_fours, weight_.rows * (weight_.columns / 4)),
      .distinct_per_32 = Share(total.distinct_in_small, small_groups_.size()),
      .distinct_per_256 = Share(total.distinct_in_large, large_groups_.size())};
  AddDigests(summary);
  AddQuantiles(total.rows.least, total.rows.greatest, summary);
  summary.row_sample = std::move(row_sample_);
  if (probes_) {
    TG_TRY(AddSketch(summary));
  }
  return summary;
}

// Those of rounded numbers only where rounding changes some and makes none infinite.
void WeightMeasures::AddDigests(WeightSummary& summary) const {
  std::vector<BlockDigest> exact;
  std::vector<BlockDigest> as_bfloat16;
  std::vector<BlockDigest> as_float16;
  for (const Block& block : blocks_) {
    exact.push_back(block.digest);
    if (block.as_bfloat16) as_bfloat16.push_back(*block.as_bfloat16);
    if (block.as_float16) as_float16.push_back(*block.as_float16);
  }
  const auto rounded = [&](const std::vector<BlockDigest>& blocks) -> std::optional<WeightDigest> {
    if (blocks.size() < exact.size() || blocks == exact) return {};
    return DigestOfBlocks(blocks);
  };
  summary.digest = DigestOfBlocks(exact);
  summary.digest_as_bfloat16 = rounded(as_bfloat16);
  summary.digest_as_float16 = rounded(as_float16);
}

// Between two sampled numbers by linear interpolation; the ends are those of all elements. Orders
// no more of the sample than it must.
void WeightMeasures::AddQuantiles(float least, float greatest, WeightSummary& summary) {
  auto ordered = sampled_.begin();
  for (size_t i = 0; i < kSummaryQuantiles.size(); ++i) {
    const double place = kSummaryQuantiles[i] * static_cast<double>(sampled_.size() - 1);
    const auto below = sampled_.begin() + static_cast<ptrdiff_t>(place);
    std::nth_element(ordered, below, sampled_.end());
    ordered = below;
    const float above =
        below + 1 == sampled_.end() ? *below : *std::min_element(below + 1, sampled_.end());
    const double part = place - std::floor(place);
    summary.quantiles[i] = static_cast<float>((1 - part) * *below + part * above);
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
  return TooLargeToSketch(tensor_);
}

}  // namespace tensorguard::internal
